//! Places in a model, as they are shown and as people write them: `children[0].label`, `meta["a key"]`.

use transports::{Path, Segment, Value};

/// Reads a path; `.` alone is the whole model.
pub(crate) fn parse(text: &str) -> Result<Path, String> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut rest = if text == "." { "" } else { text };
    while !rest.is_empty() {
        if let Some(bracket) = rest.strip_prefix('[') {
            rest = if bracket.starts_with('"') {
                let mut keys = serde_json::Deserializer::from_str(bracket).into_iter::<String>();
                let key = keys
                    .next()
                    .and_then(Result::ok)
                    .ok_or("a key in quotes has no end")?;
                let after = bracket.get(keys.byte_offset()..).unwrap_or_default();
                segments.push(key.as_str().into());
                after.strip_prefix(']').ok_or("a `]` is missing")?
            } else {
                let (index, after) = bracket.split_once(']').ok_or("a `]` is missing")?;
                let index: usize = index
                    .parse()
                    .map_err(|_| format!("`{index}` is no index"))?;
                segments.push(index.into());
                after
            };
        } else {
            let key = if segments.is_empty() {
                rest
            } else {
                rest.strip_prefix('.').ok_or("a `.` or `[` is missing")?
            };
            let end = key.find(['.', '[']).unwrap_or(key.len());
            let (key, after) = key.split_at(end);
            if key.is_empty() {
                return Err("a name is missing".to_owned());
            }
            segments.push(key.into());
            rest = after;
        }
    }
    Ok(segments.into())
}

/// What is at a place.
pub(crate) fn at<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter()
        .try_fold(value, |value, segment| match (segment, value) {
            (Segment::Key(key), Value::Map(entries)) => entries.get(key),
            (Segment::Index(index), Value::List(items)) => items.get(*index),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read() {
        let path = Path::from_iter(["a".into(), Segment::Index(3), "b.c\"d".into(), "e-f".into()]);
        assert_eq!(parse(&path.to_string()), Ok(path));
        assert_eq!(parse("."), Ok(Path::root()));
        for (text, said) in [
            ("a[", "a `]` is missing"),
            ("a[x]", "`x` is no index"),
            ("a..b", "a name is missing"),
            ("a[0]b", "a `.` or `[` is missing"),
            ("a[\"b]", "a key in quotes has no end"),
        ] {
            assert_eq!(parse(text).unwrap_err(), said, "{text}");
        }
    }
}
