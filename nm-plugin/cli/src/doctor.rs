//! `aws-client-vpn doctor`: whether all that a connection needs is there, and what to do if not.
//!
//! [`diagnose`] judges [`Facts`]; nothing is looked up while judging, so each verdict is tested
//! from the facts that lead to it.

mod checks;
mod facts;
mod gathering;

pub use facts::{Clock, Facts, File, Listener, NameFile, NetworkManager, OpenVpn, Process};
pub use gathering::gather;

use serde::Serialize;
use std::fmt;

/// All findings, in the order in which a connection needs the things.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The version of this command.
    pub version: &'static str,
    /// One for each check.
    pub findings: Vec<Finding>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked; stable, for programs.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do, unless all is well.
    pub remedy: Option<String>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It may work, not in all cases.
    Warning,
    /// A connection cannot work.
    Problem,
}

/// Judges the facts.
#[must_use]
pub fn diagnose(facts: &Facts) -> Diagnosis {
    Diagnosis {
        version: env!("CARGO_PKG_VERSION"),
        findings: checks::ALL.iter().map(|check| check(facts)).collect(),
    }
}

impl Diagnosis {
    /// Whether a connection cannot work.
    #[must_use]
    pub fn has_problem(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.verdict == Verdict::Problem)
    }

    fn count(&self, verdict: Verdict) -> usize {
        let equal = |finding: &&Finding| finding.verdict == verdict;
        self.findings.iter().filter(equal).count()
    }
}

impl Finding {
    fn good(check: &'static str, seen: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Good,
            seen: seen.into(),
            remedy: None,
        }
    }

    fn warning(check: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Warning,
            seen: seen.into(),
            remedy: Some(remedy.into()),
        }
    }

    fn problem(check: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Problem,
            ..Self::warning(check, seen, remedy)
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let word = match finding.verdict {
                Verdict::Good => "good",
                Verdict::Warning => "warning",
                Verdict::Problem => "PROBLEM",
            };
            // What was seen may hold names that others chose.
            let seen = finding.seen.replace(char::is_control, " ");
            writeln!(f, "{word:<8} {:<16} {seen}", finding.check)?;
            if let Some(remedy) = &finding.remedy {
                writeln!(f, "{:<8} {:<16} -> {remedy}", "", "")?;
            }
        }
        let (problems, warnings) = (self.count(Verdict::Problem), self.count(Verdict::Warning));
        match (problems, warnings) {
            (0, 0) => writeln!(f, "All is well."),
            (0, warnings) => writeln!(f, "No problem, {}.", counted(warnings, "warning")),
            (problems, 0) => writeln!(f, "{}.", counted(problems, "problem")),
            (problems, warnings) => writeln!(
                f,
                "{}, {}.",
                counted(problems, "problem"),
                counted(warnings, "warning")
            ),
        }
    }
}

fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}
