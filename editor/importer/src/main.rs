//! `aws-client-vpn-importer [FILE…]`.

use aws_client_vpn_importer::application;
use gtk::prelude::*;

fn main() -> gtk::glib::ExitCode {
    application::new().run()
}
