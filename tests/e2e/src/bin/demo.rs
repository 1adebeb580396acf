//! to be written below
fn main() {}
