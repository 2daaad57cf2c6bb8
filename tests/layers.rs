//! The table of rooms in CONTRIBUTING.md is true: dependencies point down, every room is in it.
//! And no file is longer than a reader's patience.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

type Outcome = Result<(), Box<dyn Error>>;

/// The most lines that a file may have.
const MOST_LINES: usize = 500;

/// Files that may be longer, and why.
const LONG: &[(&str, &str)] = &[];

#[test]
fn dependencies_point_down() -> Outcome {
    let table = table()?;
    let mut wrong = Vec::new();
    for path in sources("src")? {
        if is_door(&path) || path.starts_with("src/bin") {
            continue;
        }
        let code = fs::read_to_string(&path)?;
        for why in violations(&table, &module_of(&path), &code) {
            wrong.push(format!("{}: {why}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "against the table in CONTRIBUTING.md:\n{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn the_table_names_every_room_and_no_other() -> Outcome {
    let named: BTreeSet<String> = table()?.into_keys().collect();
    let paths = sources("src")?;
    let rooms = paths
        .iter()
        .filter(|path| !is_door(path))
        .filter_map(|path| module_of(path).first().cloned());
    let there: BTreeSet<String> = rooms.collect();
    assert_eq!(named, there, "left: CONTRIBUTING.md, right: src/");
    Ok(())
}

#[test]
fn the_table_itself_points_down() -> Outcome {
    let table = table()?;
    for (name, room) in &table {
        for used in room.uses.iter().filter_map(|path| path.first()) {
            let below = table.get(used).ok_or(format!("{name} uses {used}, which has no row"))?;
            assert!(below.level < room.level, "{name} is not above {used}");
        }
    }
    Ok(())
}

#[test]
fn the_door_has_no_logic() -> Outcome {
    let code = fs::read_to_string("src/lib.rs")?;
    assert!(!tokens(&code).contains(&"fn"), "src/lib.rs has a function");
    Ok(())
}

#[test]
fn files_are_short() -> Outcome {
    let long: BTreeMap<&str, &str> = LONG.iter().copied().collect();
    let mut wrong = Vec::new();
    for root in ["src", "tests", "benches", "fuzz", "examples"] {
        for path in sources(root)? {
            let lines = fs::read_to_string(&path)?.lines().count();
            let excused = long.contains_key(path.to_string_lossy().as_ref());
            match (lines > MOST_LINES, excused) {
                (true, false) => wrong.push(format!("{} has {lines} lines", path.display())),
                (false, true) => wrong.push(format!("{} is short: not in LONG", path.display())),
                _ => {}
            }
        }
    }
    for (path, why) in LONG {
        assert!(Path::new(path).is_file() && !why.is_empty(), "{path} in LONG");
    }
    assert!(wrong.is_empty(), "over {MOST_LINES} lines:\n{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_is_against_the_table_is_found() -> Outcome {
    let table = parsed(
        "| level | room | may use |\n|---|---|---|\n| 0 | `low` | nothing of ours |\n\
         | 1 | `mid` | `low` |\n| 2 | `high` | `mid::Face` |\n| 3 | `all` | everything |\n",
    )?;
    let found =
        |room: &str, code| violations(&table, &[room.to_owned(), "file".to_owned()], code).len();
    assert_eq!(found("mid", "use crate::low::{A, b::C}; fn f() { crate::mid::g() }"), 0);
    assert_eq!(found("mid", "use crate::high::A;"), 1, "upward");
    assert_eq!(found("low", "use crate::{low::A, mid::{B, C}};"), 2, "in a group");
    assert_eq!(found("low", "fn f() { let x = crate::mid::g::<u8>(); }"), 1, "in an expression");
    assert_eq!(found("low", "use super::super::mid::A;"), 1, "by way of the root");
    assert_eq!(found("low", "mod tests { use super::super::mid::A; }"), 0, "its own low::mid");
    assert_eq!(found("low", "mod tests { use super::super::super::mid::A; }"), 1, "in a module");
    assert_eq!(found("high", "use crate::mid::Face;"), 0);
    assert_eq!(found("high", "use crate::mid::{Face, Other};"), 1, "more than the face");
    assert_eq!(found("high", "use crate::Thing;"), 1, "through the door");
    assert_eq!(found("all", "use crate::{low, mid::Other, high::A};"), 0);
    assert_eq!(
        found("low", "// crate::mid::A\n/* /* */ crate::mid */ fn f(x: &'static str) {}"),
        0
    );
    assert_eq!(found("low", r##"const A: [&str; 2] = ["\"crate::mid", r#"crate::mid"#];"##), 0);
    assert_eq!(found("low", r#"const A: char = '\''; const B: char = '"'; use crate::mid::A;"#), 1);
    assert_eq!(found("none", "fn f() {}"), 1, "a room without a row");
    Ok(())
}

/// A row of the table.
struct Room {
    level: u32,
    /// What it may name: a room, or a path within one. Empty: anything.
    uses: Vec<Vec<String>>,
}

fn table() -> Result<BTreeMap<String, Room>, Box<dyn Error>> {
    parsed(&fs::read_to_string("CONTRIBUTING.md")?)
}

/// The table that begins with "| level | room | may use |"; further columns are for people.
fn parsed(text: &str) -> Result<BTreeMap<String, Room>, Box<dyn Error>> {
    let lines = text.lines().skip_while(|line| !line.starts_with("| level | room | may use |"));
    let mut table = BTreeMap::new();
    for line in lines.skip(2).take_while(|line| line.starts_with('|')) {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let mut cell = || cells.next().ok_or_else(|| format!("too few cells: {line}"));
        let (level, room, uses) = (cell()?.parse()?, cell()?, cell()?);
        let [room] = quoted(room)[..] else { return Err(format!("no `room`: {line}").into()) };
        let uses = match uses {
            "everything" => vec![Vec::new()],
            _ => {
                quoted(uses).iter().map(|path| path.split("::").map(Into::into).collect()).collect()
            }
        };
        table.insert(room.to_owned(), Room { level, uses });
    }
    if table.is_empty() { Err("CONTRIBUTING.md has no table of rooms".into()) } else { Ok(table) }
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Every Rust file in a folder, in order; none where there is no such folder.
fn sources(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    let folder = folder.as_ref();
    if !folder.is_dir() || folder.ends_with("target") {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_door(path: &Path) -> bool {
    path == Path::new("src/lib.rs")
}

/// `src/a/b.rs` is the module `a::b`, `src/a/mod.rs` the module `a`.
fn module_of(path: &Path) -> Vec<String> {
    let stem = path.with_extension("");
    let parts = stem.components().skip(1).map(|part| part.as_os_str().to_string_lossy());
    parts.filter(|part| part != "mod").map(Into::into).collect()
}

/// What a file of this module names without leave.
fn violations(table: &BTreeMap<String, Room>, module: &[String], code: &str) -> Vec<String> {
    let own = module.first().map_or("", String::as_str);
    let Some(room) = table.get(own) else { return vec![format!("`{own}` has no row")] };
    let allowed = |path: &[String]| {
        room.uses.iter().any(|prefix| path.starts_with(prefix))
            || path.first().is_none_or(|r| r == own)
    };
    let named = paths(module, &tokens(code)).into_iter().filter(|path| !allowed(path));
    named.map(|path| format!("`{own}` may not use `{}`", path.join("::"))).collect()
}

/// Every path that starts at `crate` or `super`, from the crate's root.
fn paths(module: &[String], tokens: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut module = module.to_vec();
    // How deep in braces each inline module began.
    let (mut depth, mut inline) = (0, Vec::new());
    let mut before = "";
    for at in 0..tokens.len() {
        let mut rest = tokens.iter().copied().skip(at).peekable();
        let token = rest.next().unwrap_or_default();
        match token {
            "mod" if tokens.get(at + 2) == Some(&"{") => {
                module.extend(rest.next().map(Into::into));
                inline.push(depth);
            }
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if inline.pop_if(|began| *began == depth).is_some() {
                    module.pop();
                }
            }
            "crate" | "super" if before != "::" && rest.peek() == Some(&"::") => {
                let keep = if token == "crate" { 0 } else { module.len().saturating_sub(1) };
                rest.next();
                let base = module.iter().take(keep).cloned().collect();
                tree(&mut rest, base, &mut found);
            }
            _ => {}
        }
        before = token;
    }
    found
}

/// One path or a group of them, as it goes on behind `base::`.
fn tree<'a, I>(
    rest: &mut std::iter::Peekable<I>,
    mut base: Vec<String>,
    found: &mut Vec<Vec<String>>,
) where
    I: Iterator<Item = &'a str>,
{
    match rest.peek().copied() {
        Some("{") => {
            rest.next();
            while rest.peek().is_some_and(|token| *token != "}") {
                tree(rest, base.clone(), found);
                while rest.peek().is_some_and(|token| !matches!(*token, "," | "}")) {
                    rest.next(); // "as name"
                }
                rest.next_if_eq(&",");
            }
            rest.next();
        }
        Some("super") => {
            rest.next();
            base.pop();
            follow(rest, base, found);
        }
        Some(name) if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
            rest.next();
            base.push(name.to_owned());
            follow(rest, base, found);
        }
        _ => found.push(base),
    }
}

fn follow<'a, I>(rest: &mut std::iter::Peekable<I>, base: Vec<String>, found: &mut Vec<Vec<String>>)
where
    I: Iterator<Item = &'a str>,
{
    match rest.next_if_eq(&"::") {
        Some(_) => tree(rest, base, found),
        None => found.push(base),
    }
}

/// Names, `::` and single signs; comments, texts and whitespace are left out.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (len, wanted) = if let Some(len) = passed_over(rest) {
            (len, false)
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            (end.unwrap_or(rest.len()), true)
        } else if rest.starts_with("::") {
            (2, true)
        } else {
            (first.len_utf8(), !first.is_whitespace())
        };
        let (token, after) = rest.split_at(len);
        found.extend(wanted.then_some(token));
        rest = after;
    }
    found
}

/// Length of the comment, text or character that the code begins with, if it does.
fn passed_over(code: &str) -> Option<usize> {
    if code.starts_with("//") {
        return Some(code.find('\n').unwrap_or(code.len()));
    }
    if code.starts_with("/*") {
        return Some(block_comment(code));
    }
    if let Some(text) = code.strip_prefix('"') {
        return Some(1 + closed(text, '"'));
    }
    if let Some(text) = code.strip_prefix('\'') {
        let mut chars = text.chars();
        let (first, second) = (chars.next()?, chars.next());
        // Else it is a lifetime.
        return (first == '\\' || second == Some('\'')).then(|| 1 + closed(text, '\''));
    }
    let raw = ["r", "br", "cr"].iter().find_map(|start| code.strip_prefix(start))?;
    let text = raw.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(raw.len() - text.len()));
    let inside = text.strip_prefix('"')?;
    Some(code.len() - inside.len() + inside.find(&end)? + end.len())
}

/// Length up to and with the closing mark, escapes passed over.
fn closed(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of a block comment; they nest.
fn block_comment(code: &str) -> usize {
    let mut depth = 0;
    for (at, pair) in code.as_bytes().windows(2).enumerate() {
        match pair {
            b"/*" => depth += 1,
            b"*/" if depth == 1 => return at + 2,
            b"*/" => depth -= 1,
            _ => {}
        }
    }
    code.len()
}
