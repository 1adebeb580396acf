//! Networks and routes.

/// An address with the length of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network<A> {
    /// The address; for a route, that of the network.
    pub address: A,
    /// Length of the prefix in bits.
    pub prefix: u8,
}

/// A route the endpoint pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<A> {
    /// Where to.
    pub network: Network<A>,
    /// Through whom; `None` is on-link.
    pub gateway: Option<A>,
}
