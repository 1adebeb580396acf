//! What KDE Plasma reads before it connects an AWS Client VPN connection.
//!
//! Plasma's applet refuses a VPN for whose type it finds no Qt plugin, before NetworkManager hears
//! of the click. It looks at nothing but the metadata of the plugins, which Qt takes out of the file
//! without loading it, so this library has metadata and no code. Whoever wants to make an object of
//! it (Plasma's secret agent, its settings) is told by Qt that there is none: the agent then leaves
//! the question to the next one, ours.
//!
//! The metadata is there twice, as Qt 5 looks for it and as Qt 6 does, so one file serves both
//! without a header of either.

#![cfg_attr(not(test), no_std)]

mod cbor;

use cbor::{Encoded, Item, Key, encode};

/// The type of our connections; a test says that it is the one of `core`.
const SERVICE_TYPE: &str = "org.freedesktop.NetworkManager.aws-client-vpn";

/// What the plugin says of itself. Settings lists it among the types of a new connection, where it
/// makes none, so its description leads to what does.
const ABOUT: &[(Key, Item)] = &[
    (Key::Text("Name"), Item::Text("AWS Client VPN")),
    (
        Key::Text("Description"),
        Item::Text(
            "Connects only. To add a connection, open its profile (.ovpn) with AWS Client VPN.",
        ),
    ),
    (
        Key::Text("Description[de]"),
        Item::Text(
            "Verbindet nur. Zum Anlegen einer Verbindung öffnen Sie ihr Profil (.ovpn) mit AWS Client VPN.",
        ),
    ),
    (Key::Text("Icon"), Item::Text("network-vpn")),
    (Key::Text("License"), Item::Text("GPL-2.0-or-later")),
];

/// The keys are Qt's (`QtPluginMetaDataKeys`), the texts of the last one KDE's.
const METADATA: &[(Key, Item)] = &[
    (Key::Number(2), Item::Text("org.kde.KPluginFactory")),
    (Key::Number(3), Item::Text("aws_client_vpn")),
    (
        Key::Number(4),
        Item::Map(&[
            (Key::Text("KPlugin"), Item::Map(ABOUT)),
            (
                Key::Text("X-NetworkManager-Services"),
                Item::Text(SERVICE_TYPE),
            ),
        ]),
    ),
];

/// The metadata as Qt encodes it, at the beginning of more room than it needs.
const ENCODED: Encoded<1024> = encode(METADATA);
const SIZE: usize = ENCODED.length;
const CBOR: [u8; SIZE] = {
    let mut bytes = [0; SIZE];
    bytes.copy_from_slice(ENCODED.bytes.split_at(SIZE).0);
    bytes
};

/// What Qt 5.12 and its successors look for: a section of this name that begins so.
#[repr(C)]
struct Qt5 {
    magic: [u8; 12],
    header: Header,
    metadata: [u8; SIZE],
}

/// Which Qt can use the plugin: this one and later ones with the same first number.
#[repr(C)]
struct Header {
    version: u8,
    major: u8,
    minor: u8,
    /// Of the processor.
    requirements: u8,
}

#[used]
#[expect(unsafe_code, reason = "only the section's name tells Qt what it is")]
#[unsafe(link_section = ".qtmetadata")]
static QT5: Qt5 = Qt5 {
    magic: *b"QTMETADATA !",
    header: Header {
        version: 0,
        major: 5,
        minor: 12,
        requirements: 0,
    },
    metadata: CBOR,
};

/// What Qt 6.3 and its successors look for: an ELF note of theirs. They pass over one that is not
/// aligned as a pointer.
#[repr(C)]
#[cfg_attr(target_pointer_width = "64", repr(align(8)))]
#[cfg_attr(target_pointer_width = "32", repr(align(4)))]
struct Qt6 {
    name_size: u32,
    size: u32,
    kind: u32,
    name: [u8; 12],
    header: Header,
    metadata: [u8; SIZE],
}

#[used]
#[expect(
    unsafe_code,
    reason = "only the section's name tells the linker that it is a note"
)]
#[unsafe(link_section = ".note.qt.metadata")]
static QT6: Qt6 = Qt6 {
    name_size: 12,
    size: (size_of::<Header>() + SIZE) as u32,
    kind: 0x7451_0001,
    name: *b"qt-project!\0",
    header: Header {
        version: 1,
        major: 6,
        minor: 3,
        requirements: 0,
    },
    metadata: CBOR,
};

/// Nothing here runs.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_type_is_that_of_our_connections() {
        assert_eq!(
            super::SERVICE_TYPE,
            aws_client_vpn_profile::well_known::SERVICE_TYPE
        );
    }
}
