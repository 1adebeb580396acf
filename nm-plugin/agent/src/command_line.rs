//! The command line.

use clap::Parser;

/// Shows the logins of AWS Client VPN connections where the desktop does not: in a terminal, over
/// ssh, or in the background of a graphical session.
#[derive(Debug, Parser)]
#[command(name = "nm-aws-client-vpn-agent", version)]
pub(crate) struct Arguments {
    /// Use no terminal, only the browser and windows of the graphical session
    #[arg(long)]
    pub(crate) background: bool,
    /// Serve logins even where gnome-shell, nm-applet or Cinnamon would
    #[arg(long)]
    pub(crate) anyway: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
