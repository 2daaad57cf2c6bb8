//! Files and folders of a module that depend on each other in a circle.
//!
//! The parts of a folder are its files, its folders, and the code in its `mod.rs`. Tests may use
//! anything, and are left out.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{named, tokens};

/// A source file: its module, and its code.
pub(crate) type File = (Vec<String>, String);

/// The code in `mod.rs`, as a part of its folder.
const FACE: &str = "mod.rs";

/// For each part of a folder, the parts that it names.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// Parts of a folder that depend on each other.
#[derive(Debug)]
pub(crate) struct Circle {
    /// The folder, as a path of modules.
    pub(crate) folder: String,
    pub(crate) parts: Vec<String>,
    /// Whether it is open without the code in `mod.rs`.
    pub(crate) has_face: bool,
}

/// Every circle among the parts of this folder and of the folders in it.
pub(crate) fn circles(folder: &[String], files: &[File]) -> Vec<Circle> {
    let inside: Vec<&File> =
        files.iter().filter(|(module, _)| module.starts_with(folder)).collect();
    let parts: BTreeSet<&str> =
        inside.iter().filter_map(|(module, _)| module.get(folder.len())).map(|s| &**s).collect();
    let face = inside.iter().find(|(module, _)| module == folder).map_or("", |(_, code)| code);
    let face = Face::of(folder, &parts, face);
    let mut edges = Edges::new();
    edges.insert(FACE.to_owned(), face.uses.clone());
    for (module, code) in &inside {
        let Some(part) = module.get(folder.len()) else { continue };
        if module.iter().any(|name| is_test(name)) {
            continue;
        }
        let used = named(module, &tokens(code)).into_iter();
        let used = used.filter(|(at, _)| !at.iter().any(|name| is_test(name)));
        let used = used.filter_map(|(_, path)| part_of(folder, &parts, &face, &path));
        edges.entry(part.clone()).or_default().extend(used.filter(|other| other != part));
    }
    let all = in_a_circle(&edges);
    edges.remove(FACE);
    let inner = in_a_circle(&edges);
    let outer = all.into_iter().filter(|parts| parts.iter().any(|part| part == FACE));
    let circle = |parts, has_face| Circle { folder: folder.join("::"), parts, has_face };
    let mut found: Vec<_> = inner.into_iter().map(|parts| circle(parts, false)).collect();
    found.extend(outer.map(|parts| circle(parts, true)));
    let folders = parts.iter().filter(|part| {
        let is_in = |(module, _): &&&File| {
            module.len() > folder.len() + 1
                && module.get(folder.len()).is_some_and(|at| at == *part)
        };
        !is_test(part) && inside.iter().any(|file| is_in(&file))
    });
    for part in folders {
        let deeper: Vec<String> = folder.iter().cloned().chain([(*part).to_owned()]).collect();
        found.extend(circles(&deeper, files));
    }
    found
}

fn is_test(name: &str) -> bool {
    name == "tests" || name.ends_with("_tests")
}

/// The part that a path leads to, if it leads into this folder.
fn part_of(
    folder: &[String],
    parts: &BTreeSet<&str>,
    face: &Face,
    path: &[String],
) -> Option<String> {
    let name = path.strip_prefix(folder)?.first()?;
    if is_test(name) || name == "self" {
        return None;
    }
    if parts.contains(&**name) {
        return Some(name.clone());
    }
    match face.names.get(name) {
        Some(part) => part.clone(),
        None => Some(FACE.to_owned()),
    }
}

/// A `mod.rs`: which part each name comes from, and which names its own code uses.
#[derive(Default)]
struct Face {
    /// Names that it imports; `None` for those from outside of the folder.
    names: BTreeMap<String, Option<String>>,
    uses: BTreeSet<String>,
}

impl Face {
    fn of(folder: &[String], parts: &BTreeSet<&str>, code: &str) -> Self {
        let mut face = Self::default();
        let all = tokens(code);
        let mut own = Vec::new();
        for statement in statements(&all) {
            if !statement.contains(&"use") {
                own.extend_from_slice(statement);
                continue;
            }
            let paths = named(folder, statement).into_iter();
            for (_, path) in paths {
                let part = path.strip_prefix(folder).and_then(|rest| rest.first());
                let part = part.filter(|part| parts.contains(&***part));
                let Some(name) = path.iter().rev().find(|name| *name != "self") else { continue };
                face.names.insert(name.clone(), part.cloned());
            }
        }
        let mut before = "";
        let mut tests = false;
        for pair in own.windows(2) {
            let [token, after] = *pair else { continue };
            tests |= before == "mod" && is_test(token) && after == "{";
            let named = match face.names.get(token) {
                Some(part) => part.clone(),
                None => (after == "::" && parts.contains(token)).then(|| token.to_owned()),
            };
            if before != "::" && before != "." && before != "mod" && !tests {
                face.uses.extend(named.filter(|part| !is_test(part)));
            }
            before = token;
        }
        face
    }
}

/// `use` statements, each alone, and what stands between them.
fn statements<'a, 't>(tokens: &'a [&'t str]) -> Vec<&'a [&'t str]> {
    let mut found = Vec::new();
    let mut rest = tokens;
    while let Some(at) = rest.iter().position(|token| *token == "use") {
        let (before, from) = rest.split_at(at);
        let end = from.iter().position(|token| *token == ";").map_or(from.len(), |end| end + 1);
        let (statement, after) = from.split_at(end);
        found.extend([before, statement]);
        rest = after;
    }
    found.push(rest);
    found
}

/// The parts of each circle, each circle once.
fn in_a_circle(edges: &Edges) -> Vec<Vec<String>> {
    let reach = |from: &str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(at) = next.pop() {
            for to in edges.get(&at).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    next.push(to.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<&String, BTreeSet<String>> =
        edges.keys().map(|part| (part, reach(part))).collect();
    let circles = all.iter().filter(|(part, reached)| reached.contains(**part)).map(|(part, _)| {
        let with = |other: &&&String| {
            all.get(*part).is_some_and(|reached| reached.contains(**other))
                && all.get(**other).is_some_and(|reached| reached.contains(*part))
        };
        all.keys().filter(with).map(|name| (*name).clone()).collect::<Vec<_>>()
    });
    circles.collect::<BTreeSet<_>>().into_iter().collect()
}
