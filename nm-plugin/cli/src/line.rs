//! Lines of a terminal, in the user's language.

use aws_client_vpn_i18n as i18n;
use aws_client_vpn_text::printable::printable;

/// A text that others have a part in: it must not draw on the reader's terminal.
pub fn one_line(text: &str) -> String {
    printable(text)
}

/// The columns that the longest of these texts of the catalogue needs.
pub(crate) fn width(texts: impl IntoIterator<Item = &'static str>) -> usize {
    let width = |text| i18n::translate(text).chars().count();
    texts.into_iter().map(width).max().unwrap_or(0)
}
