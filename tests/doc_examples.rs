//! Every public type that people hold or build has an example in its documentation, and the example
//! is compiled.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::fs;
use std::path::{Path, PathBuf};

/// Enums of plain variants, whose names say everything.
const PLAIN: [&str; 8] = [
    "Affinity",
    "Commit",
    "Encoding",
    "EntityKind",
    "ErrorKind",
    "FileKind",
    "PeerKind",
    "Secrets",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("src/bin") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The name of the public type that a line begins. The lint `unreachable_pub` sees to it that
/// only the API has such lines.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let mut words = rest.split(|c: char| !c.is_alphanumeric() && c != '_');
    matches!(words.next()?, "struct" | "enum" | "trait").then(|| words.next())?
}

/// Whether these lines of documentation have an example that is compiled.
fn has_example<'a>(docs: impl Iterator<Item = &'a str>) -> bool {
    let fences = docs.filter_map(|line| line.trim_start().strip_prefix("/// ```"));
    fences.step_by(2).any(|language| matches!(language, "" | "no_run"))
}

/// The public types of a file, and whether they have an example.
fn types(code: &str) -> Vec<(&str, bool)> {
    let lines: Vec<&str> = code.lines().collect();
    let is_above = |line: &&&str| {
        let line = line.trim_start();
        line.starts_with("///") || line.starts_with("#[") || line.ends_with(")]")
    };
    let found = lines.iter().enumerate().filter_map(|(at, line)| {
        let name = public_type(line)?;
        let above = lines.iter().take(at).rev().take_while(is_above).count();
        let docs = lines.iter().take(at).skip(at - above).copied();
        Some((name, has_example(docs)))
    });
    found.collect()
}

#[test]
fn every_public_type_has_an_example_that_is_compiled() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let (mut count, mut without) = (0, Vec::new());
    for file in files {
        let code = fs::read_to_string(&file).unwrap();
        for (name, has_example) in types(&code) {
            count += 1;
            if !has_example && !PLAIN.contains(&name) {
                without.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(count > 60, "only {count} types were found");
    assert!(without.is_empty(), "these have no example:\n{}", without.join("\n"));
}

#[test]
fn a_type_without_an_example_is_found() {
    let documented = "/// A.\n///\n/// ```\n/// a();\n/// ```\n#[derive(Clone)]\npub struct A;\n";
    assert_eq!(types(documented), [("A", true)]);
    let ignored = documented.replace("/// ```\n/// a", "/// ```ignore\n/// a");
    assert_eq!(types(&ignored), [("A", false)]);
    assert_eq!(
        types(&format!("{documented}/// B.\npub enum B<T> {{}}\n")).pop(),
        Some(("B", false))
    );
    assert_eq!(types("pub fn f() {}\npub(crate) struct C;\nstruct D;\n"), []);
}
