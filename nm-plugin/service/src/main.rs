//! NetworkManager's VPN service for AWS Client VPN.
fn main() {}
