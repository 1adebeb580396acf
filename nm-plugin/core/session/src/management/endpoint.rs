//! Which lines of OpenVPN's log tell of the endpoint.

/// How they begin.
const BEGINNINGS: [&str; 8] = [
    "PUSH: Received control message: ",
    "Control Channel:",
    "Data Channel:",
    "AUTH: ",
    "Options error:",
    "OPTIONS ERROR:",
    "Connection reset",
    "Halt",
];

/// Whether a line of OpenVPN's log tells what the endpoint did: what it pushed, chose, refused and
/// broke off.
pub fn tells_of_endpoint(line: &str) -> bool {
    BEGINNINGS.iter().any(|start| line.starts_with(start)) || line.contains("was pushed by server")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openvpn_s_own_doings_are_not_the_endpoint_s() {
        for line in [
            "PUSH: Received control message: 'PUSH_REPLY,echo,peer-id 1'",
            "AUTH: Received control message: AUTH_FAILED,CRV1:R:x:Ti9B:https://idp/",
            "Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384",
            "SIGUSR1[soft,server-pushed-connection-reset] was pushed by server ('')",
        ] {
            assert!(tells_of_endpoint(line), "{line}");
        }
        for line in [
            "MANAGEMENT: CMD 'username \"Auth\" \"ada\"'",
            "UDPv4 link remote: [AF_INET]203.0.113.5:443",
            "MANAGEMENT: CMD 'AUTH: '",
            "",
        ] {
            assert!(!tells_of_endpoint(line), "{line}");
        }
    }
}
