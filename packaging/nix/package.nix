# For nixpkgs' callPackage. See docs/development.md for how far it was tried.
{
  lib, stdenv, rustPlatform, cargo, rustc, fetchurl, linkFarm, pkg-config, autoconf, automake, libtool,
  docutils, gettext, util-linux, glib, gtk3, gtk4, libadwaita, libcap_ng, libnl, libseccomp,
  networkmanager, openssl, pkcs11helper, wrapGAppsHook4, libsForQt5, qt6,
}:
let
  manifest = lib.importTOML ../../Cargo.toml;
  # Lines such as "SHA-256  file" in the quotes after `sums=`.
  pin = builtins.readFile ../openvpn/pin.sh;
  sums = lib.splitString "\n" (lib.head (builtins.match ".*sums='([^']*)'.*" pin));
  # Where Debian keeps files that its mirrors have no more: by their SHA-1.
  snapshots = {
    "openvpn_2.6.14.orig.tar.gz" = "cfca54fd0f3e3a06565cf4fec982d724b5e5c188";
    "openvpn_2.6.14-1+deb13u3.debian.tar.xz" = "47bb325d2c7307aa45fea3d644ccd06b98104fda";
  };
  openvpn = linkFarm "openvpn-source" (map (line:
    let words = builtins.match "([0-9a-f]+)  (.+)" line; name = lib.last words; in {
      inherit name;
      path = fetchurl {
        inherit name;
        urls = [ "mirror://debian/pool/main/o/openvpn/${name}" ]
          ++ lib.optional (snapshots ? ${name}) "https://snapshot.debian.org/file/${snapshots.${name}}";
        sha256 = lib.head words;
      };
    }) sums);
in
stdenv.mkDerivation {
  pname = "networkmanager-aws-client-vpn";
  version = manifest.workspace.package.version;
  # Without what cargo has built there.
  src = lib.cleanSourceWith {
    src = ../..;
    filter = path: type: lib.cleanSourceFilter path type && path != toString ../../target;
  };
  cargoDeps = rustPlatform.importCargoLock { lockFile = ../../Cargo.lock; };
  nativeBuildInputs = [
    autoconf automake cargo docutils gettext libtool pkg-config rustc rustPlatform.cargoSetupHook util-linux
    wrapGAppsHook4
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
    # Where Plasma's Qt looks.
    "qt5plugindir=${placeholder "out"}/${libsForQt5.qtbase.qtPluginPrefix}"
    "qt6plugindir=${placeholder "out"}/${qt6.qtbase.qtPluginPrefix}"
    # The system that it is installed on is not the one that it is built on.
    "live="
  ];
  buildFlags = [ "build" "openvpn" ];
  # libnm looks in NetworkManager's own directory otherwise.
  postInstall = ''
    sed -i "s|^plugin=|&$out/lib/NetworkManager/|" $out/lib/NetworkManager/VPN/*.name
  '';
  # The programs with windows only: the service runs itself again as /proc/self/exe.
  dontWrapGApps = true;
  postFixup = ''
    wrapGApp $out/bin/aws-client-vpn-importer
    wrapGApp $out/libexec/nm-aws-client-vpn-login-window
  '';
  passthru.networkManagerPlugin = "VPN/nm-aws-client-vpn-service.name";
  meta = {
    description = "NetworkManager VPN plugin for AWS Client VPN";
    license = lib.licenses.gpl2Plus;
    platforms = lib.platforms.linux;
  };
}
