//! The auth dialog.
fn main() {}
