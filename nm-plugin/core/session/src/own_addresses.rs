//! The IPv6 addresses of this computer, as the kernel lists them in `/proc/net/if_inet6`.

use std::net::Ipv6Addr;

/// `IFA_F_TENTATIVE` and `IFA_F_DADFAILED` (linux/if_addr.h): not usable.
const UNUSABLE: u8 = 0x40 | 0x08;

/// Whether `before` is still an address of the interface that has `now`: what was begun from it
/// goes on. Privacy extensions prefer a new address each day and keep the old ones for a week.
pub fn is_kept(table: &str, before: Ipv6Addr, now: Ipv6Addr) -> bool {
    let interface = |wanted: Ipv6Addr| {
        table.lines().find_map(|line| {
            // Address, number of the interface, prefix, scope, flags, name.
            let fields: Vec<_> = line.split_ascii_whitespace().collect();
            let [address, interface, _, _, flags, _] = fields[..] else {
                return None;
            };
            let address = u128::from_str_radix(address, 16).ok()?;
            let flags = u8::from_str_radix(flags, 16).ok()?;
            (Ipv6Addr::from(address) == wanted && flags & UNUSABLE == 0).then_some(interface)
        })
    };
    let before = interface(before);
    before.is_some() && before == interface(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000010 02 40 00 21     eth0
20010db8000000000000000000000011 02 40 00 01     eth0
20010db8000000000000000000000012 02 40 00 40     eth0
20010db8000000000000000000000020 03 40 00 80     eth1
nonsense
";

    #[test]
    fn an_address_is_kept_while_its_interface_has_it_and_is_the_way() {
        let address = |last: u16| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
        for (before, now, expected) in [
            // Deprecated, and there still.
            (0x10, 0x11, true),
            (0x11, 0x11, true),
            // Gone.
            (0x13, 0x11, false),
            // Not usable.
            (0x12, 0x11, false),
            // There still, but packets go out at another interface.
            (0x10, 0x20, false),
            (0x13, 0x14, false),
        ] {
            let kept = is_kept(TABLE, address(before), address(now));
            assert_eq!(kept, expected, "{before:x} {now:x}");
        }
    }
}
