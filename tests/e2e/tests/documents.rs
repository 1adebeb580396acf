//! A document that says "this test shows it" is wrong when there is no such test.
//!
//! `SECURITY.md` and `tests/FAULTS.md` name tests as links: the text is the test's name, the target
//! its file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The links `[name](path)` of a text whose paths end as Rust files do.
fn links(text: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    for (position, _) in text.match_indices("](") {
        let name = text[..position].rsplit('[').next().unwrap_or_default();
        let path = text[position + 2..].split(')').next().unwrap_or_default();
        if path.ends_with(".rs") {
            links.push((name, path));
        }
    }
    links
}

/// Whether `source` has a test called `name` that is run.
fn has_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(number, line)| {
        let declares = line.starts_with(&head) || line.starts_with(&format!("async {head}"));
        let attributes = || {
            lines[..number]
                .iter()
                .rev()
                .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
        };
        declares
            && attributes()
                .any(|line| line.starts_with("#[test") || line.starts_with("#[tokio::test"))
            && !attributes().any(|line| line.starts_with("#[ignore"))
    })
}

#[track_caller]
fn check(document: &str) -> usize {
    let path = root().join(document);
    let text = fs::read_to_string(&path).unwrap();
    let links = links(&text);
    for (name, file) in &links {
        let file = path.parent().unwrap().join(file);
        let source = fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{document}: {}: {error}", file.display()));
        assert!(
            has_test(&source, name),
            "{document} names {name}, which is no test in {}",
            file.display()
        );
    }
    links.len()
}

#[test]
fn the_threat_model_names_tests_that_exist() {
    assert!(check("SECURITY.md") > 30);
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with('|')).skip(2);
    for row in rows {
        assert!(row.contains("]("), "no test shows: {row}");
    }
}

#[test]
fn each_row_of_the_fault_table_names_a_test_that_exists() {
    check("tests/FAULTS.md");
    let text = fs::read_to_string(root().join("tests/FAULTS.md")).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| ") && line.chars().nth(2).is_some_and(char::is_numeric))
        .collect();
    assert!(rows.len() >= 40, "{} rows", rows.len());
    for (number, row) in rows.iter().enumerate() {
        let first = row.split('|').nth(1).unwrap().trim();
        assert_eq!(first, (number + 1).to_string(), "{row}");
        assert!(row.contains(".rs)"), "no test shows: {row}");
    }
}

#[test]
fn what_is_no_test_is_not_taken_for_one() {
    let source = "#[test]\nfn one() {}\nfn helper() {}\n#[test]\n#[ignore]\nfn off() {}\n\
                  #[tokio::test]\nasync fn two() {}\n";
    for (name, expected) in [
        ("one", true),
        ("two", true),
        ("helper", false),
        ("off", false),
    ] {
        assert_eq!(has_test(source, name), expected, "{name}");
    }
    assert_eq!(
        links("| [a](x.rs) [b](y.rs) | [c](z.md) |"),
        [("a", "x.rs"), ("b", "y.rs")]
    );
}
