//! libnm plugin.
