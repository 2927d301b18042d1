//! Command lines.

use std::collections::BTreeMap;

use lexopt::{Arg, Error, Parser, ValueExt};

/// The values of the flags that were given: of those with a value the value, of switches an empty text.
///
/// # Errors
/// There is a flag that is not known, or a value is missing.
pub fn flags(
    with_value: &[&'static str],
    switches: &[&'static str],
) -> Result<BTreeMap<&'static str, String>, Error> {
    let mut parser = Parser::from_env();
    let mut given = BTreeMap::new();
    while let Some(arg) = parser.next()? {
        let known = |names: &[&'static str]| match &arg {
            Arg::Long(name) => names.iter().copied().find(|known| known == name),
            _ => None,
        };
        if let Some(name) = known(switches) {
            given.insert(name, String::new());
        } else if let Some(name) = known(with_value) {
            given.insert(name, parser.value()?.string()?);
        } else {
            return Err(arg.unexpected());
        }
    }
    Ok(given)
}
