//! A private key leaves no copy in memory that was given back.
#![allow(
    unsafe_code,
    reason = "an allocator that looks at what it is given back"
)]

use aws_client_vpn_profile::keyfile::{Identity, to_keyfile};
use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{from_settings, to_data, to_secrets};
use aws_client_vpn_session::openvpn::{LaunchParameters, launch};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

const PROFILE: &str = include_str!("fixtures/profiles/certificate.ovpn");
/// A line of the key in it.
const LINE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";

static LEFT: AtomicUsize = AtomicUsize::new(0);

struct Looking;

#[global_allocator]
static ALLOCATOR: Looking = Looking;

// A block that grows is one that is given back, as `realloc` is not defined here.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Else what is not written yet holds what was there before.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        let is_left = bytes.windows(LINE.len()).any(|own| own == LINE.as_bytes());
        LEFT.fetch_add(usize::from(is_left), Ordering::Relaxed);
        unsafe { System.dealloc(block, layout) };
    }
}

#[test]
fn a_private_key_leaves_no_copy_behind() {
    let read = || Profile::parse(PROFILE, &mut |_| Err(String::new())).expect("a profile");
    let profile = read().profile;
    let key = profile.inline(InlineFile::Key).expect("it has a key");
    let one = format!("{}\n{}", key.replace('\n', ""), "x\n".repeat(90));
    let other = key.replace("PRIVATE KEY", "OTHER KEY");
    assert!(key.contains(LINE), "{key}");
    let identity = Identity {
        id: "Work".to_owned(),
        uuid: String::new(),
        user: None,
    };
    let parameters = LaunchParameters {
        management_socket: "/run/nm-aws-client-vpn/1/management",
        tun_device: "awsvpn0",
        pkcs11_module: None,
    };
    let (data, secrets) = (to_data(&profile), to_secrets(&profile));
    let steps: [(&str, &dyn Fn()); 8] = [
        ("a file", &|| {
            drop(InlineFile::Key.content_of_file(one.as_bytes()))
        }),
        ("a file of another kind", &|| {
            drop(InlineFile::Key.content_of_file(other.as_bytes()))
        }),
        ("a profile", &|| drop(read())),
        ("secrets", &|| drop(to_secrets(&profile))),
        ("a connection", &|| drop(from_settings(&data, &secrets))),
        ("an export", &|| drop(profile.to_ovpn())),
        ("a keyfile", &|| drop(to_keyfile(&identity, &profile))),
        ("a configuration", &|| drop(launch(&profile, &parameters))),
    ];
    let before = LEFT.load(Ordering::Relaxed);
    drop(std::hint::black_box(key.to_owned()));
    assert!(LEFT.load(Ordering::Relaxed) > before, "a copy is seen");
    let left = steps.map(|(name, step)| {
        let before = LEFT.load(Ordering::Relaxed);
        step();
        (name, LEFT.load(Ordering::Relaxed) - before)
    });
    assert!(left.iter().all(|(_, copies)| *copies == 0), "{left:?}");
}
