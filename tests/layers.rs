//! The table of modules in CONTRIBUTING.md is true: dependencies point down, every module is in it.
//! And no file is longer than a reader's patience.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "layers/circles.rs"]
mod circles;
#[path = "layers/code.rs"]
mod code;

use self::circles::{Circle, circles};
use self::code::{paths, tokens};

type Outcome = Result<(), Box<dyn Error>>;

/// The most lines that a file may have.
const MOST_LINES: usize = 500;

/// Files that may be longer, and why.
const LONG: &[(&str, &str)] = &[];

/// Rooms and folders whose `mod.rs` has types that its own files use.
const SHARED_FACES: &[&str] =
    &["engine::redb_base", "engine::rows", "engine::write", "segment", "session", "store"];

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
fn the_table_names_every_module_and_no_other() -> Outcome {
    let named: BTreeSet<String> = table()?.into_keys().collect();
    let paths = sources("src")?;
    let modules = paths
        .iter()
        .filter(|path| !is_door(path))
        .filter_map(|path| module_of(path).first().cloned());
    let there: BTreeSet<String> = modules.collect();
    assert_eq!(named, there, "left: CONTRIBUTING.md, right: src/");
    Ok(())
}

#[test]
fn the_table_itself_points_down() -> Outcome {
    let table = table()?;
    for (name, module) in &table {
        for used in module.uses.iter().filter_map(|path| path.first()) {
            let below = table.get(used).ok_or(format!("{name} uses {used}, which has no row"))?;
            assert!(below.level < module.level, "{name} is not above {used}");
        }
    }
    Ok(())
}

#[test]
fn dependencies_inside_a_module_go_one_way() -> Outcome {
    let mut files = Vec::new();
    for path in sources("src")? {
        if !is_door(&path) && !path.starts_with("src/bin") {
            files.push((module_of(&path), fs::read_to_string(&path)?));
        }
    }
    let modules: BTreeSet<String> =
        files.iter().filter_map(|(module, _)| module.first().cloned()).collect();
    let found: Vec<_> = modules.into_iter().flat_map(|module| circles(&[module], &files)).collect();
    let shared = |circle: &&Circle| circle.has_face && SHARED_FACES.contains(&&*circle.folder);
    let wrong: Vec<_> = found.iter().filter(|circle| !shared(circle)).collect();
    assert!(wrong.is_empty(), "files and folders in circles: {wrong:#?}");
    for folder in SHARED_FACES {
        assert!(found.iter().any(|circle| circle.folder == *folder), "{folder} has no circle");
    }
    Ok(())
}

/// `Type::function` and `Type::field`, as docs/architecture.md names them.
#[test]
fn each_name_in_the_architecture_page_is_in_the_code() -> Outcome {
    let page = fs::read_to_string("docs/architecture.md")?;
    let mut code = String::new();
    for path in sources("src")? {
        code += &fs::read_to_string(&path)?;
    }
    let is_word = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let names = page.split('`').skip(1).step_by(2);
    let names = names.filter(|name| name.contains("::") && name.split("::").all(is_word));
    let is_defined = |word: &str| {
        let kinds = ["fn", "struct", "enum", "trait", "mod", "const", "type"];
        let starts = kinds.map(|kind| format!("{kind} {word}"));
        let field = format!(" {word}:");
        let ends =
            |after: &str| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        starts.iter().any(|start| code.split(start.as_str()).skip(1).any(ends))
            || code.contains(&field)
    };
    let (all, unknown): (Vec<_>, Vec<_>) = names
        .filter(|name| !name.starts_with("PoisonError"))
        .partition(|name| name.split("::").all(is_defined));
    assert!(all.len() > 100, "{} names", all.len());
    assert!(unknown.is_empty(), "in docs/architecture.md, and not in src: {unknown:?}");
    Ok(())
}

#[test]
fn a_circle_inside_a_module_is_found() {
    let found = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(module, code)| {
            (module.split("::").map(Into::into).collect(), (*code).to_owned())
        });
        let found = circles(&["module".to_owned()], &Vec::from_iter(files)).into_iter();
        Vec::from_iter(found.map(|circle| format!("{}: {}", circle.folder, circle.parts.join(" "))))
    };
    let one_way = [("module::a", "use super::b::B;"), ("module::b", "struct B;")];
    assert_eq!(found(&one_way), Vec::<String>::new());
    let tests =
        [("module::a", "use super::b::B;"), ("module::b", "mod tests { use super::super::a; }")];
    assert_eq!(found(&tests), Vec::<String>::new(), "tests may use anything");
    let two =
        [("module::a", "use super::b::B;"), ("module::b", "fn f() { crate::module::a::g() }")];
    assert_eq!(found(&two), ["module: a b"]);
    let by_the_face = [
        ("module", "mod a; mod b; pub(crate) use self::b::B;"),
        ("module::a", "use super::{B, Other};"),
        ("module::b", "use super::a;"),
    ];
    assert_eq!(found(&by_the_face), ["module: a b"]);
    let with_the_face = [("module", "mod a; struct S(a::A);"), ("module::a", "use super::S;")];
    assert_eq!(found(&with_the_face), ["module: a mod.rs"]);
    let deeper = [
        ("module::in::a", "use super::b;"),
        ("module::in::b", "use super::c;"),
        ("module::in::c", "use super::a;"),
    ];
    assert_eq!(found(&deeper), ["module::in: a b c"]);
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
        "| level | module | may use |\n|---|---|---|\n| 0 | `low` | nothing of ours |\n\
         | 1 | `mid` | `low` |\n| 2 | `high` | `mid::Face` |\n| 3 | `all` | everything |\n",
    )?;
    let found = |module: &str, code| {
        violations(&table, &[module.to_owned(), "file".to_owned()], code).len()
    };
    assert_eq!(found("mid", "use crate::low::{A, b::C}; fn f() { crate::mid::g() }"), 0);
    assert_eq!(found("mid", "use crate::high::A;"), 1, "upward");
    assert_eq!(found("low", "use crate::{low::A, mid::{B, C}};"), 2, "in a group");
    assert_eq!(found("low", "fn f() { let x = crate::mid::g::<u8>(); }"), 1, "in an expression");
    assert_eq!(found("low", "use super::super::mid::A;"), 1, "by way of the root");
    assert_eq!(found("low", "mod tests { use super::super::mid::A; }"), 0, "its own low::mid");
    assert_eq!(found("low", "mod tests { use super::super::super::mid::A; }"), 1, "in a `mod`");
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
    assert_eq!(found("none", "fn f() {}"), 1, "a module without a row");
    Ok(())
}

/// A row of the table.
struct Module {
    level: u32,
    /// The modules, or paths within modules, that it may name. Empty: any.
    uses: Vec<Vec<String>>,
}

fn table() -> Result<BTreeMap<String, Module>, Box<dyn Error>> {
    parsed(&fs::read_to_string("CONTRIBUTING.md")?)
}

/// The table that begins with "| level | module | may use |"; further columns are for people.
fn parsed(text: &str) -> Result<BTreeMap<String, Module>, Box<dyn Error>> {
    let lines = text.lines().skip_while(|line| !line.starts_with("| level | module | may use |"));
    let mut table = BTreeMap::new();
    for line in lines.skip(2).take_while(|line| line.starts_with('|')) {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let mut cell = || cells.next().ok_or_else(|| format!("too few cells: {line}"));
        let (level, module, uses) = (cell()?.parse()?, cell()?, cell()?);
        let [module] = quoted(module)[..] else {
            return Err(format!("no `module`: {line}").into());
        };
        let uses = match uses {
            "everything" => vec![Vec::new()],
            _ => {
                quoted(uses).iter().map(|path| path.split("::").map(Into::into).collect()).collect()
            }
        };
        table.insert(module.to_owned(), Module { level, uses });
    }
    if table.is_empty() { Err("CONTRIBUTING.md has no table of modules".into()) } else { Ok(table) }
}

/// The texts between backticks.
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

/// The modules that a file of this module names and may not use.
fn violations(table: &BTreeMap<String, Module>, module: &[String], code: &str) -> Vec<String> {
    let own = module.first().map_or("", String::as_str);
    let Some(row) = table.get(own) else { return vec![format!("`{own}` has no row")] };
    let allowed = |path: &[String]| {
        row.uses.iter().any(|prefix| path.starts_with(prefix))
            || path.first().is_none_or(|r| r == own)
    };
    let named = paths(module, &tokens(code)).into_iter().filter(|path| !allowed(path));
    named.map(|path| format!("`{own}` may not use `{}`", path.join("::"))).collect()
}
