//! The command line.

use clap::Parser;

/// Show the sign-ins of AWS Client VPN connections where the desktop does not
#[derive(Debug, Parser)]
#[command(name = "nm-aws-client-vpn-agent", version)]
pub(crate) struct Arguments {
    /// Use the browser and windows of the graphical session, and no terminal
    #[arg(long)]
    pub(crate) background: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_manual_page_tells_of_every_option() {
        let page = include_str!("../../../service-files/man/nm-aws-client-vpn-agent.1");
        for option in Arguments::command()
            .get_arguments()
            .filter_map(clap::Arg::get_long)
        {
            assert!(
                page.contains(&format!("\\-\\-{option}")),
                "the manual page lacks --{option}"
            );
        }
    }
}
