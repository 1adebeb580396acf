//! libnm declarations.
