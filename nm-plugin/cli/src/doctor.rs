//! `aws-client-vpn doctor`: whether all that a connection needs is there, and what to do if not.
//!
//! [`diagnose`] judges [`Facts`]; nothing is looked up while judging, so each verdict is tested
//! from the facts that lead to it. Programs are told in English, people in their language.

mod checks;
mod collect;
mod facts;
mod fixing;
mod selinux;

pub use crate::network_manager::NetworkManager;
pub use collect::collect;
pub(crate) use collect::openvpn_version;
pub use facts::{Agent, Clock, Closed, Facts, File, Listener, NameFile, OpenVpn, Process};
pub use fixing::{FixError, fix};

use crate::json;
use crate::line::width;
use aws_client_vpn_i18n::{self as i18n, gettext, ngettext};
use aws_client_vpn_text::gettext_noop;
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::printable::printable;
use serde::Serialize;
use std::fmt;

/// All findings, in the order in which a connection needs the things.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The version of this command.
    pub version: &'static str,
    /// A finding for each check.
    pub findings: Vec<Finding>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked; stable, for programs. Marked for the catalogue.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    #[serde(serialize_with = "json::english")]
    pub seen: Message,
    /// What to do, unless all is well.
    #[serde(serialize_with = "json::english_if_any")]
    pub remedy: Option<Message>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// A connection may work, but not in all cases.
    Warning,
    /// A connection cannot work.
    Problem,
}

/// Judges the facts.
#[must_use]
pub fn diagnose(facts: &Facts) -> Diagnosis {
    Diagnosis {
        version: env!("CARGO_PKG_VERSION"),
        findings: checks::ALL
            .iter()
            .map(|(check, judge)| {
                let (verdict, seen, remedy) = judge(facts);
                Finding {
                    check,
                    verdict,
                    seen,
                    remedy,
                }
            })
            .collect(),
    }
}

impl Diagnosis {
    /// What is beside schema and outcome in JSON.
    pub fn fields(&self) -> serde_json::Value {
        serde_json::json!({ "version": self.version, "findings": self.findings })
    }

    /// Whether a connection cannot work.
    pub fn has_problem(&self) -> bool {
        self.count(Verdict::Problem) > 0
    }

    fn count(&self, verdict: Verdict) -> u64 {
        let equal = |finding: &&Finding| finding.verdict == verdict;
        self.findings.iter().filter(equal).map(|_| 1).sum()
    }

    /// The last line.
    fn summary(&self) -> String {
        let warnings = self.count(Verdict::Warning);
        let problems = self.count(Verdict::Problem);
        match (problems, warnings) {
            (0, 0) => gettext!("No problems were found."),
            (0, warnings) => ngettext!(
                warnings,
                "There is no problem, but there is {count} warning.",
                "There is no problem, but there are {count} warnings."
            ),
            (problems, warnings) => {
                let mut summary = ngettext!(
                    problems,
                    "There is {count} problem.",
                    "There are {count} problems."
                );
                if warnings > 0 {
                    summary.push(' ');
                    // TRANSLATORS: Follows the sentence that counts the problems.
                    summary.push_str(&ngettext!(
                        warnings,
                        "There is also {count} warning.",
                        "There are also {count} warnings."
                    ));
                }
                summary
            }
        }
    }
}

impl Verdict {
    const ALL: [Self; 3] = [Self::Good, Self::Warning, Self::Problem];

    fn word(self) -> &'static str {
        match self {
            // TRANSLATORS: What a check found, in a column.
            Self::Good => gettext_noop!("good"),
            Self::Warning => gettext_noop!("warning"),
            // TRANSLATORS: What a check found, in a column; it has to catch the eye.
            Self::Problem => gettext_noop!("PROBLEM"),
        }
    }
}

/// In the user's language.
impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdicts = width(Verdict::ALL.map(Verdict::word));
        let checks = width(self.findings.iter().map(|finding| finding.check));
        for finding in &self.findings {
            let verdict = i18n::translate(finding.verdict.word());
            let check = i18n::translate(finding.check);
            // What was seen may hold names that others chose.
            let seen = printable(&i18n::localize(&finding.seen));
            writeln!(f, "{verdict:<verdicts$}  {check:<checks$}  {seen}")?;
            if let Some(remedy) = &finding.remedy {
                let remedy = printable(&i18n::localize(remedy));
                writeln!(f, "{:<verdicts$}  {:<checks$}  -> {remedy}", "", "")?;
            }
        }
        writeln!(f, "{}", self.summary())
    }
}
