//! `metadata/croissant.json`: describes the result in the Croissant format (JSON-LD), which dataset
//! hubs and `mlcroissant` read: its files, the fields of its rows, and where it comes from.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result};
use arrow::datatypes::DataType;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Prepared;
use crate::data::{ExportFormat, Exported};
use crate::rundir::events::now;
use crate::rundir::{JobSummary, RunPaths};
use crate::term::time;

/// Rows at the start of a JSON result that tell which fields there are.
const ROWS: usize = 1000;
/// A line that is longer is not looked at.
const LINE: u64 = 16 << 20;

/// Writes the document of a complete job. Reads the whole result, for its digests.
pub(super) fn write(
    prepared: &Prepared,
    summary: &JobSummary,
    exported: &Exported,
    paths: &RunPaths,
) -> Result<()> {
    let storage = paths.storage();
    storage.replace_json(&paths.croissant(), &document(prepared, summary, exported)?)
}

fn document(prepared: &Prepared, summary: &JobSummary, exported: &Exported) -> Result<Value> {
    let options = &prepared.resolved.config.croissant;
    let format = prepared.target.format;
    let encoding = match format {
        ExportFormat::Jsonl => "application/jsonlines",
        ExportFormat::Json => "application/json",
        ExportFormat::Parquet => "application/x-parquet",
        ExportFormat::Arrow => "application/vnd.apache.arrow.stream",
    };
    let mut files = Vec::new();
    for path in &exported.files {
        let (digest, bytes) = digest(path)?;
        // Of a dataset as the hub has it, the path in it.
        let in_dataset = path.strip_prefix(&prepared.target.path).ok();
        let in_dataset = in_dataset.filter(|_| prepared.target.split.is_some());
        let name = in_dataset.unwrap_or_else(|| Path::new(path.file_name().unwrap_or_default()));
        let name = name.to_string_lossy();
        files.push(json!({
            "@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name,
            "contentSize": format!("{bytes} B"), "encodingFormat": encoding, "sha256": digest,
        }));
    }
    let fields = match prepared.export.schema().filter(|_| format.is_columnar()) {
        Some(schema) => schema
            .fields()
            .iter()
            .map(|field| (field.name().clone(), of_column(field.data_type())))
            .collect(),
        None => match exported.files.first() {
            Some(first) if format == ExportFormat::Jsonl => of_rows(first)?,
            _ => BTreeMap::new(),
        },
    };
    let ids: Vec<Value> = files.iter().map(|file| file["@id"].clone()).collect();
    let source = match &ids[..] {
        [one] => json!({ "fileObject": { "@id": one } }),
        several => {
            let list: Vec<Value> = several.iter().map(|id| json!({ "@id": id })).collect();
            files.push(json!({
                "@type": "cr:FileSet", "@id": "files", "name": "files", "containedIn": list,
                "encodingFormat": encoding, "includes": "*",
            }));
            json!({ "fileSet": { "@id": "files" } })
        }
    };
    let fields: Vec<Value> = fields
        .into_iter()
        .filter_map(|(name, kind)| field(&name, kind, &source))
        .collect();
    let mut document = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "dct:conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name(prepared),
        "datePublished": time(now()).chars().take(10).collect::<String>(),
        "version": "1.0.0",
        "isBasedOn": prepared.resolved.sources,
        "distribution": files,
        "recordSet": [{
            "@type": "cr:RecordSet", "@id": "rows", "name": "rows",
            "description": format!("{} rows", summary.ledger.output), "field": fields,
        }],
        // What was done is not part of Croissant; other readers pass over it.
        "djhost": {
            "version": env!("CARGO_PKG_VERSION"), "job": summary.job_id, "seed": prepared.resolved.config.seed,
            "rows_in": summary.ledger.read, "rows_out": summary.ledger.output,
            "ops": ops(prepared), "components": summary.plugins,
        },
    });
    let object = document
        .as_object_mut()
        .context("a document is an object")?;
    let mut add = |key: &str, value: Value| {
        if !value.is_null() && value != "" && value != json!([]) {
            object.insert(key.to_owned(), value);
        }
    };
    add("description", options.description.as_str().into());
    add("license", one_or_all(&options.license.0));
    add("url", options.url.as_str().into());
    let people = options.creator.0.iter();
    let people: Vec<Value> = people
        .map(|name| json!({ "@type": "sc:Person", "name": name }))
        .collect();
    add("creator", people.into());
    Ok(document)
}

fn one_or_all(values: &[String]) -> Value {
    match values {
        [one] => one.as_str().into(),
        several => several.into(),
    }
}

/// The name that the recipe gives, or that of the export.
fn name(prepared: &Prepared) -> String {
    let given = &prepared.resolved.config.croissant.name;
    if !given.is_empty() {
        return given.clone();
    }
    let stem = prepared.target.path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn ops(prepared: &Prepared) -> Vec<Value> {
    let ops = prepared.plan.ops.iter();
    ops.map(|op| {
        let params: Value = serde_json::from_str(op.pool.params()).unwrap_or_default();
        json!({ "name": op.name, "params": params, "digest": op.pool.component().digest })
    })
    .collect()
}

/// The type of a field, and whether it is a list of them. None: objects.
type Kind = (Option<&'static str>, bool);

/// None for an object: readers have no type for it, and fail on rows that have one.
fn field(name: &str, (kind, repeated): Kind, source: &Value) -> Option<Value> {
    let mut source = source.clone();
    source["extract"] = json!({ "column": name });
    let mut field = json!({
        "@type": "cr:Field", "@id": format!("rows/{name}"), "name": name,
        "dataType": kind?, "source": source,
    });
    if repeated {
        field["repeated"] = true.into();
    }
    Some(field)
}

fn of_column(ty: &DataType) -> Kind {
    match ty {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            (of_column(item.data_type()).0, true)
        }
        DataType::Boolean => (Some("sc:Boolean"), false),
        ty if ty.is_integer() => (Some("sc:Integer"), false),
        ty if ty.is_floating() => (Some("sc:Float"), false),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => (Some("sc:Date"), false),
        DataType::Struct(_) | DataType::Map(..) => (None, false),
        _ => (Some("sc:Text"), false),
    }
}

/// The fields of the first rows. Where rows differ, the type is text.
fn of_rows(path: &Path) -> Result<BTreeMap<String, Kind>> {
    let context = || format!("cannot read `{}`", path.display());
    let mut input = BufReader::new(File::open(path).with_context(context)?);
    let (mut fields, mut line) = (BTreeMap::new(), Vec::new());
    for _ in 0..ROWS {
        line.clear();
        let n = input
            .by_ref()
            .take(LINE)
            .read_until(b'\n', &mut line)
            .with_context(context)?;
        if n == 0 || !line.ends_with(b"\n") {
            break;
        }
        // A packed file, or a row that only djhost can read.
        let Ok(Value::Object(row)) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        add_row(&mut fields, &row);
    }
    Ok(fields)
}

fn add_row(fields: &mut BTreeMap<String, Kind>, row: &Map<String, Value>) {
    for (name, value) in row {
        let Some(kind) = of_value(value) else {
            continue;
        };
        let known = fields.entry(name.clone()).or_insert(kind);
        *known = match (*known, kind) {
            (a, b) if a == b => a,
            ((Some("sc:Integer" | "sc:Float"), a), (Some("sc:Integer" | "sc:Float"), b))
                if a == b =>
            {
                (Some("sc:Float"), a)
            }
            _ => (Some("sc:Text"), false),
        };
    }
}

/// None for null, and for a list without values: they say nothing.
fn of_value(value: &Value) -> Option<Kind> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => (Some("sc:Boolean"), false),
        Value::Number(n) if n.is_f64() => (Some("sc:Float"), false),
        Value::Number(_) => (Some("sc:Integer"), false),
        Value::String(_) => (Some("sc:Text"), false),
        Value::Array(items) => (items.iter().find_map(of_value)?.0, true),
        Value::Object(_) => (None, false),
    })
}

/// SHA-256 of a file in hex, and its size.
fn digest(path: &Path) -> Result<(String, u64)> {
    let context = || format!("cannot read `{}`", path.display());
    let mut file = File::open(path).with_context(context)?;
    let (mut sum, mut buffer, mut bytes) = (Sha256::new(), vec![0; 1 << 20], 0);
    loop {
        let n = file.read(&mut buffer).with_context(context)?;
        if n == 0 {
            return Ok((hex::encode(sum.finalize()), bytes));
        }
        sum.update(&buffer[..n]);
        bytes += n as u64;
    }
}

/// The context that Croissant 1.0 prescribes.
fn context() -> Value {
    json!({
        "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
        "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "data": { "@id": "cr:data", "@type": "@json" },
        "rai": "http://mlcommons.org/croissant/RAI/", "samplingRate": "cr:samplingRate", "equivalentProperty": "cr:equivalentProperty",
        "dataBiases": "cr:dataBiases", "dataCollection": "cr:dataCollection", "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/", "djhost": { "@id": "urn:djhost:lineage", "@type": "@json" },
        "examples": { "@id": "cr:examples", "@type": "@json" }, "extract": "cr:extract", "field": "cr:field",
        "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
        "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5",
        "parentField": "cr:parentField", "path": "cr:path", "personalSensitiveInformation": "cr:personalSensitiveInformation",
        "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
        "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
        "subField": "cr:subField", "transform": "cr:transform",
    })
}
