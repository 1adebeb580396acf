//! Compares the hand-written declarations with the header of the libnm that is installed.

use aws_client_vpn_libnm::ffi;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

/// (C expression, our value) for the size of a struct and the places of its fields.
macro_rules! layout {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        [
            (concat!("sizeof(", stringify!($name), ")"), size_of::<ffi::$name>()),
            $((
                concat!("offsetof(", stringify!($name), ", ", stringify!($field), ")"),
                offset_of!(ffi::$name, $field),
            ),)+
        ]
    };
}

/// (C expression, our value) for constants.
macro_rules! constants {
    ($($name:ident),+ $(,)?) => {
        [$((stringify!($name), ffi::$name as usize)),+]
    };
}

/// (C expression, our value)
fn expectations() -> Vec<(&'static str, usize)> {
    let mut all = vec![("sizeof(NMVpnEditorPluginCapability)", size_of::<u32>())];
    all.extend(layout!(NMVpnEditorPluginInterface {
        get_editor,
        get_capabilities,
        import_from_file,
        export_to_file,
        get_suggested_filename,
        notify_plugin_info_set,
        get_vt,
    }));
    all.extend(layout!(NMVpnEditorInterface {
        get_widget,
        placeholder,
        update_connection,
        changed,
    }));
    all.extend(constants!(
        NM_VPN_EDITOR_PLUGIN_CAPABILITY_IMPORT,
        NM_VPN_EDITOR_PLUGIN_CAPABILITY_EXPORT,
        NM_VPN_EDITOR_PLUGIN_CAPABILITY_IPV6,
        NM_VPN_PLUGIN_ERROR_FAILED,
        NM_VPN_PLUGIN_ERROR_BAD_ARGUMENTS,
        NM_VPN_PLUGIN_ERROR_INVALID_CONNECTION,
    ));
    all
}

#[test]
fn sizes_offsets_and_constants_are_those_of_the_installed_header() {
    let expectations = expectations();
    let lines: String = expectations
        .iter()
        .map(|(expression, _)| format!("printf(\"%zu\\n\", (size_t)({expression}));\n"))
        .collect();
    let printed = run_c(
        &format!(
            "#include <stddef.h>\n#include <stdio.h>\n#include <NetworkManager.h>\n\
             int main(void) {{\n{lines}return 0;\n}}\n"
        ),
        &[],
    );
    let ours: Vec<String> = expectations
        .iter()
        .map(|(expression, value)| format!("{expression} {value}"))
        .collect();
    let theirs: Vec<String> = expectations
        .iter()
        .zip(printed.lines())
        .map(|((expression, _), value)| format!("{expression} {value}"))
        .collect();
    assert_eq!(ours, theirs);
}

/// Each function is assigned to a pointer of the type that `ffi.rs` gives it: the C compiler
/// refuses a declaration that differs.
#[test]
fn functions_have_the_header_s_signatures() {
    run_c(
        "#include <NetworkManager.h>
        int main(void) {
            GType (*a)(void) = nm_vpn_editor_plugin_get_type;
            GType (*b)(void) = nm_vpn_editor_get_type;
            GQuark (*c)(void) = nm_vpn_plugin_error_quark;
            GType (*d)(void) = nm_connection_get_type;
            NMConnection *(*e)(void) = nm_simple_connection_new;
            void (*f)(NMConnection *, NMSetting *) = nm_connection_add_setting;
            const char *(*g)(NMConnection *) = nm_connection_get_id;
            NMSettingVpn *(*h)(NMConnection *) = nm_connection_get_setting_vpn;
            NMSetting *(*i[])(void) = { nm_setting_connection_new, nm_setting_ip4_config_new,
                                        nm_setting_ip6_config_new, nm_setting_vpn_new };
            const char *(*j)(NMSettingVpn *) = nm_setting_vpn_get_service_type;
            guint32 (*k)(NMSettingVpn *) = nm_setting_vpn_get_timeout;
            gboolean (*p)(NMSettingVpn *) = nm_setting_vpn_get_persistent;
            void (*l[])(NMSettingVpn *, const char *, const char *) = {
                nm_setting_vpn_add_data_item, nm_setting_vpn_add_secret };
            void (*m[])(NMSettingVpn *, void (*)(const char *, const char *, gpointer), gpointer) = {
                nm_setting_vpn_foreach_data_item, nm_setting_vpn_foreach_secret };
            gboolean (*n[])(NMSettingVpn *, const char *) = {
                nm_setting_vpn_remove_data_item, nm_setting_vpn_remove_secret };
            NMSetting *(*o)(NMSetting *) = nm_setting_duplicate;
            (void)a; (void)b; (void)c; (void)d; (void)e; (void)f; (void)g; (void)h; (void)i;
            (void)j; (void)k; (void)l; (void)m; (void)n; (void)o; (void)p;
            return 0;
        }",
        &["-Werror", "-Wincompatible-pointer-types"],
    );
}

/// Compiles and runs a C program against libnm; returns what it printed.
fn run_c(source: &str, flags: &[&str]) -> String {
    let dir = tempfile::tempdir().expect("a directory for the program");
    let source_path = dir.path().join("abi.c");
    let program_path = dir.path().join("abi");
    std::fs::write(&source_path, source).expect("the program can be written");

    let pkg_config = output(Command::new("pkg-config").args(["--cflags", "--libs", "libnm"]));
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    output(
        Command::new(compiler)
            .args(flags)
            .arg("-o")
            .args([&program_path, &source_path] as [&Path; 2])
            .args(pkg_config.split_whitespace()),
    );
    output(&mut Command::new(program_path))
}

fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}
