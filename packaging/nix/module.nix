# For NixOS: imports = [ …/packaging/nix/module.nix ];
{ pkgs, ... }:
let
  package = pkgs.callPackage ./package.nix { };
in
{
  # NetworkManager, the bus and systemd get its files by this.
  networking.networkmanager.plugins = [ package ];
  environment.systemPackages = [ package ];
  systemd.packages = [ package ];
  systemd.paths.nm-aws-client-vpn-kill-switch.wantedBy = [ "paths.target" ];
  systemd.user.services.nm-aws-client-vpn-agent.wantedBy = [ "graphical-session.target" ];
  systemd.tmpfiles.packages = [ package ];
  # In place of sysusers.d.
  users.users.nm-aws-client-vpn = {
    isSystemUser = true;
    group = "nm-aws-client-vpn";
    description = "OpenVPN of AWS Client VPN connections";
  };
  users.groups.nm-aws-client-vpn = { };
}
