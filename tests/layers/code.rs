//! The modules that a source file names.

/// Every path that starts at `crate`, `super` or `self`, from the crate's root.
pub(crate) fn paths(module: &[String], tokens: &[&str]) -> Vec<Vec<String>> {
    named(module, tokens).into_iter().map(|(_, path)| path).collect()
}

/// Every such path, with the module that it stands in.
pub(crate) fn named(module: &[String], tokens: &[&str]) -> Vec<(Vec<String>, Vec<String>)> {
    let mut all = Vec::new();
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
            "crate" | "super" | "self" if before != "::" && rest.peek() == Some(&"::") => {
                let keep = match token {
                    "crate" => 0,
                    "super" => module.len().saturating_sub(1),
                    _ => module.len(),
                };
                rest.next();
                let base = module.iter().take(keep).cloned().collect();
                let mut found = Vec::new();
                tree(&mut rest, base, &mut found);
                all.extend(found.into_iter().map(|path| (module.clone(), path)));
            }
            _ => {}
        }
        before = token;
    }
    all
}

/// One path or a group of them, as it goes on after `base::`.
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
pub(crate) fn tokens(code: &str) -> Vec<&str> {
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
