//! The regions of AWS in words: nobody knows where `eu-north-1` is.

use aws_client_vpn_text::mark;

/// What AWS calls the region with this code, in English that is in the catalogue; `None` for
/// regions that are newer than this table.
#[must_use]
pub fn name(code: &str) -> Option<&'static str> {
    Some(match code {
        "af-south-1" => mark!("Africa (Cape Town)"),
        "ap-east-1" => mark!("Asia Pacific (Hong Kong)"),
        "ap-east-2" => mark!("Asia Pacific (Taipei)"),
        "ap-northeast-1" => mark!("Asia Pacific (Tokyo)"),
        "ap-northeast-2" => mark!("Asia Pacific (Seoul)"),
        "ap-northeast-3" => mark!("Asia Pacific (Osaka)"),
        "ap-south-1" => mark!("Asia Pacific (Mumbai)"),
        "ap-south-2" => mark!("Asia Pacific (Hyderabad)"),
        "ap-southeast-1" => mark!("Asia Pacific (Singapore)"),
        "ap-southeast-2" => mark!("Asia Pacific (Sydney)"),
        "ap-southeast-3" => mark!("Asia Pacific (Jakarta)"),
        "ap-southeast-4" => mark!("Asia Pacific (Melbourne)"),
        "ap-southeast-5" => mark!("Asia Pacific (Malaysia)"),
        "ap-southeast-6" => mark!("Asia Pacific (New Zealand)"),
        "ap-southeast-7" => mark!("Asia Pacific (Thailand)"),
        "ca-central-1" => mark!("Canada (Central)"),
        "ca-west-1" => mark!("Canada West (Calgary)"),
        "cn-north-1" => mark!("China (Beijing)"),
        "cn-northwest-1" => mark!("China (Ningxia)"),
        "eu-central-1" => mark!("Europe (Frankfurt)"),
        "eu-central-2" => mark!("Europe (Zurich)"),
        "eu-north-1" => mark!("Europe (Stockholm)"),
        "eu-south-1" => mark!("Europe (Milan)"),
        "eu-south-2" => mark!("Europe (Spain)"),
        "eu-west-1" => mark!("Europe (Ireland)"),
        "eu-west-2" => mark!("Europe (London)"),
        "eu-west-3" => mark!("Europe (Paris)"),
        "il-central-1" => mark!("Israel (Tel Aviv)"),
        "me-central-1" => mark!("Middle East (UAE)"),
        "me-south-1" => mark!("Middle East (Bahrain)"),
        "mx-central-1" => mark!("Mexico (Central)"),
        "sa-east-1" => mark!("South America (São Paulo)"),
        "us-east-1" => mark!("US East (N. Virginia)"),
        "us-east-2" => mark!("US East (Ohio)"),
        "us-gov-east-1" => mark!("AWS GovCloud (US-East)"),
        "us-gov-west-1" => mark!("AWS GovCloud (US-West)"),
        "us-west-1" => mark!("US West (N. California)"),
        "us-west-2" => mark!("US West (Oregon)"),
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
