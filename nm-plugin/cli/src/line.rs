//! Lines of a terminal, in the user's language.

use aws_client_vpn_i18n as i18n;

/// The columns that the longest of these texts of the catalogue needs.
pub(crate) fn width(texts: impl IntoIterator<Item = &'static str>) -> usize {
    let width = |text| i18n::translate(text).chars().count();
    texts.into_iter().map(width).max().unwrap_or(0)
}
