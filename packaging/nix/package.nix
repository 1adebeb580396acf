# For nixpkgs' callPackage. See docs/development.md for how far it was tried.
{
  lib, stdenv, rustPlatform, cargo, rustc, fetchurl, linkFarm, pkg-config, autoconf, automake, libtool,
  docutils, gettext, util-linux, glib, gtk3, gtk4, libadwaita, libcap_ng, libnl, libseccomp,
  networkmanager, openssl, pkcs11helper,
}:
let
  manifest = lib.importTOML ../../Cargo.toml;
  # Lines such as "SHA-256  file" in the quotes after `sums=`.
  pin = builtins.readFile ../openvpn/pin.sh;
  sums = lib.splitString "\n" (lib.head (builtins.match ".*sums='([^']*)'.*" pin));
  openvpn = linkFarm "openvpn-source" (map (line:
    let words = builtins.match "([0-9a-f]+)  (.+)" line; name = lib.last words; in {
      inherit name;
      path = fetchurl {
        inherit name;
        urls = [ "mirror://debian/pool/main/o/openvpn/${name}" ];
        sha256 = lib.head words;
      };
    }) sums);
in
stdenv.mkDerivation {
  pname = "networkmanager-aws-client-vpn";
  version = manifest.workspace.package.version;
  src = lib.cleanSource ../..;
  cargoDeps = rustPlatform.importCargoLock { lockFile = ../../Cargo.lock; };
  nativeBuildInputs = [
    autoconf automake cargo docutils gettext libtool pkg-config rustc rustPlatform.cargoSetupHook util-linux
  ];
  buildInputs = [
    glib gtk3 gtk4 libadwaita libcap_ng libnl libseccomp networkmanager openssl pkcs11helper
  ];
  # The toolchain is this system's, not rustup's.
  postPatch = "rm rust-toolchain.toml; patchShebangs packaging";
  OPENVPN_SOURCE = openvpn;
  makeFlags = [
    "prefix=${placeholder "out"}"
    "plugindir=${placeholder "out"}/lib/NetworkManager"
    "vpndir=${placeholder "out"}/lib/NetworkManager/VPN"
    "dbusdir=${placeholder "out"}/share/dbus-1/system.d"
    "sysusersdir=${placeholder "out"}/lib/sysusers.d"
    "tmpfilesdir=${placeholder "out"}/lib/tmpfiles.d"
    "unitdir=${placeholder "out"}/lib/systemd/system"
    "userunitdir=${placeholder "out"}/lib/systemd/user"
    "autostartdir=${placeholder "out"}/etc/xdg/autostart"
  ];
  buildFlags = [ "build" "openvpn" ];
  # libnm looks in NetworkManager's own directory otherwise.
  postInstall = ''
    sed -i "s|^plugin=|&$out/lib/NetworkManager/|" $out/lib/NetworkManager/VPN/*.name
  '';
  passthru.networkManagerPlugin = "VPN/nm-aws-client-vpn-service.name";
  meta = {
    description = "NetworkManager VPN plugin for AWS Client VPN";
    license = lib.licenses.gpl2Plus;
    platforms = lib.platforms.linux;
  };
}
