//! The regions of AWS in words: nobody knows where `eu-north-1` is.

use aws_client_vpn_text::gettext_noop;

/// What AWS calls the region with this code, in English that is in the catalogue; `None` for
/// regions that are newer than this table.
#[must_use]
pub fn name(code: &str) -> Option<&'static str> {
    Some(match code {
        "af-south-1" => gettext_noop!("Africa (Cape Town)"),
        "ap-east-1" => gettext_noop!("Asia Pacific (Hong Kong)"),
        "ap-east-2" => gettext_noop!("Asia Pacific (Taipei)"),
        "ap-northeast-1" => gettext_noop!("Asia Pacific (Tokyo)"),
        "ap-northeast-2" => gettext_noop!("Asia Pacific (Seoul)"),
        "ap-northeast-3" => gettext_noop!("Asia Pacific (Osaka)"),
        "ap-south-1" => gettext_noop!("Asia Pacific (Mumbai)"),
        "ap-south-2" => gettext_noop!("Asia Pacific (Hyderabad)"),
        "ap-southeast-1" => gettext_noop!("Asia Pacific (Singapore)"),
        "ap-southeast-2" => gettext_noop!("Asia Pacific (Sydney)"),
        "ap-southeast-3" => gettext_noop!("Asia Pacific (Jakarta)"),
        "ap-southeast-4" => gettext_noop!("Asia Pacific (Melbourne)"),
        "ap-southeast-5" => gettext_noop!("Asia Pacific (Malaysia)"),
        "ap-southeast-6" => gettext_noop!("Asia Pacific (New Zealand)"),
        "ap-southeast-7" => gettext_noop!("Asia Pacific (Thailand)"),
        "ca-central-1" => gettext_noop!("Canada (Central)"),
        "ca-west-1" => gettext_noop!("Canada West (Calgary)"),
        "cn-north-1" => gettext_noop!("China (Beijing)"),
        "cn-northwest-1" => gettext_noop!("China (Ningxia)"),
        "eu-central-1" => gettext_noop!("Europe (Frankfurt)"),
        "eu-central-2" => gettext_noop!("Europe (Zurich)"),
        "eu-north-1" => gettext_noop!("Europe (Stockholm)"),
        "eu-south-1" => gettext_noop!("Europe (Milan)"),
        "eu-south-2" => gettext_noop!("Europe (Spain)"),
        "eu-west-1" => gettext_noop!("Europe (Ireland)"),
        "eu-west-2" => gettext_noop!("Europe (London)"),
        "eu-west-3" => gettext_noop!("Europe (Paris)"),
        "il-central-1" => gettext_noop!("Israel (Tel Aviv)"),
        "me-central-1" => gettext_noop!("Middle East (UAE)"),
        "me-south-1" => gettext_noop!("Middle East (Bahrain)"),
        "mx-central-1" => gettext_noop!("Mexico (Central)"),
        "sa-east-1" => gettext_noop!("South America (São Paulo)"),
        "us-east-1" => gettext_noop!("US East (N. Virginia)"),
        "us-east-2" => gettext_noop!("US East (Ohio)"),
        "us-gov-east-1" => gettext_noop!("AWS GovCloud (US-East)"),
        "us-gov-west-1" => gettext_noop!("AWS GovCloud (US-West)"),
        "us-west-1" => gettext_noop!("US West (N. California)"),
        "us-west-2" => gettext_noop!("US West (Oregon)"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_regions_have_names_and_others_have_none() {
        assert_eq!(name("eu-central-1"), Some("Europe (Frankfurt)"));
        assert_eq!(name("xx-north-9"), None);
    }
}
