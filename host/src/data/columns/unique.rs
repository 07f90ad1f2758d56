//! Columns that cannot be told apart.

use anyhow::{Result, bail};
use arrow::datatypes::{DataType, Fields};
use std::collections::HashMap;

/// Fails if two columns have one name, or two members of a struct: a value could be found in
/// either.
pub(crate) fn check_names(fields: &Fields) -> Result<()> {
    check("", fields)
}

fn check(path: &str, fields: &Fields) -> Result<()> {
    if let Some(message) = repeated(fields.iter().map(|f| f.name().as_str())) {
        match path {
            "" => bail!("{message}"),
            _ => bail!("in `{path}` {message}"),
        }
    }
    for field in fields {
        let path = if path.is_empty() {
            field.name().clone()
        } else {
            format!("{path}.{}", field.name())
        };
        check_type(&path, field.data_type())?;
    }
    Ok(())
}

fn check_type(path: &str, ty: &DataType) -> Result<()> {
    use DataType::*;
    match ty {
        Struct(fields) => check(path, fields),
        List(item)
        | LargeList(item)
        | FixedSizeList(item, _)
        | ListView(item)
        | LargeListView(item)
        | RunEndEncoded(_, item) => check_type(path, item.data_type()),
        // Its keys and values are found by place.
        Map(entries, _) => match entries.data_type() {
            Struct(fields) => fields
                .iter()
                .try_for_each(|field| check_type(path, field.data_type())),
            _ => Ok(()),
        },
        Dictionary(_, value) => check_type(path, value),
        Union(fields, _) => fields
            .iter()
            .try_for_each(|(_, field)| check_type(path, field.data_type())),
        _ => Ok(()),
    }
}

/// What is wrong with these names: those that come more than once, with their places.
pub(crate) fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut places: Vec<(&str, Vec<usize>)> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, name) in names.enumerate() {
        let at = *known.entry(name).or_insert(places.len());
        if at == places.len() {
            places.push((name, Vec::new()));
        }
        places[at].1.push(place + 1);
    }
    let several: Vec<String> = places
        .iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| {
            let all = if places.len() == 2 { "both" } else { "all" };
            let places: Vec<String> = places.iter().map(usize::to_string).collect();
            let places = format!(
                "{} and {}",
                places[..places.len() - 1].join(", "),
                places[places.len() - 1]
            );
            if name.is_empty() {
                format!("columns {places} have no name")
            } else {
                format!("columns {places} are {all} called `{name}`")
            }
        })
        .collect();
    (!several.is_empty()).then(|| several.join("; "))
}

/// Names that differ by case only, which DuckDB, Spark and Hive take for one.
pub(crate) fn alike<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut known: HashMap<String, &str> = HashMap::new();
    let mut pairs = Vec::new();
    for name in names {
        match known.entry(name.to_lowercase()) {
            std::collections::hash_map::Entry::Vacant(place) => _ = place.insert(name),
            std::collections::hash_map::Entry::Occupied(first) => {
                pairs.push((first.get().to_string(), name.to_owned()))
            }
        }
    }
    pairs
}

/// What to say of two such names.
pub(crate) fn differ_by_case(a: &str, b: &str) -> String {
    format!(
        "columns `{a}` and `{b}` differ by case only: they stay two, but DuckDB, Spark and Hive take them for one"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_come_twice_are_given_with_their_places() {
        assert_eq!(repeated(["a", "b", "A"].into_iter()), None);
        assert_eq!(
            repeated(["v", "b", "v"].into_iter()).unwrap(),
            "columns 1 and 3 are both called `v`"
        );
        assert_eq!(
            repeated(["", "v", "", "v", "v"].into_iter()).unwrap(),
            "columns 1 and 3 have no name; columns 2, 4 and 5 are all called `v`"
        );
    }
}
