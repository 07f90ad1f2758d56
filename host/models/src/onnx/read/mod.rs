//! Reads the file of a network: the messages of `onnx.proto3`, as far as they say what to compute.

mod attribute;
mod tensor;

pub(super) use attribute::{Attribute, Attributes};
pub(super) use tensor::Type;

use super::value::Array;
use crate::error::damaged;
use crate::proto::{Fields, Value};
use std::collections::HashSet;

const NO_NETWORK: &str = "this is not a network in ONNX: give the `.onnx` file of an export";
/// Networks are some hundred to some ten thousand nodes.
const MOST_NODES: usize = 1 << 17;

/// A network as the file has it.
#[derive(Debug, Default)]
pub(super) struct File {
    /// The version of the standard's operators.
    pub opset: i64,
    pub nodes: Vec<FileNode>,
    pub weights: Vec<(String, Array)>,
    pub inputs: Vec<Described>,
    pub outputs: Vec<Described>,
}

/// An operator with the names of what it reads and writes; an empty name stands for nothing.
#[derive(Debug, Default)]
pub(super) struct FileNode {
    pub name: String,
    pub operator: String,
    pub domain: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Attributes,
}

/// An input or output.
#[derive(Debug)]
pub(super) struct Described {
    pub name: String,
    pub element: Type,
    /// None: any size.
    pub shape: Option<Vec<Option<u32>>>,
}

/// Reads a file.
///
/// # Errors
/// When it is damaged, or has what is not supported.
pub(super) fn read(bytes: &[u8]) -> Result<File, String> {
    let mut file = File::default();
    let mut graph = None;
    // The version of the format comes first.
    if bytes.first() != Some(&0x08) {
        return Err(NO_NETWORK.into());
    }
    for field in Fields::of(bytes) {
        match field? {
            (7, Value::Bytes(message)) => graph = Some(message),
            (8, Value::Bytes(message)) => {
                let (mut domain, mut version) = ("", 0);
                for field in Fields::of(message) {
                    match field? {
                        (1, Value::Bytes(name)) => domain = text(name)?,
                        (2, Value::Number(number)) => version = number as i64,
                        _ => {}
                    }
                }
                if is_standard(domain) {
                    file.opset = version;
                }
            }
            _ => {}
        }
    }
    let graph = graph.ok_or(NO_NETWORK)?;
    read_graph(graph, &mut file)?;
    match file.opset {
        7.. => Ok(file),
        old => Err(format!(
            "it uses version {old} of ONNX's operators: export it with opset 7 or later"
        )),
    }
}

/// Graphs within graphs, as loops have them.
const MOST_DEPTH: usize = 16;

/// Whether all weights are in the file itself: what another runtime would read besides is nothing that
/// anyone has checked.
///
/// # Errors
/// When they are not, or the file is damaged.
pub(super) fn without_other_files(bytes: &[u8]) -> Result<(), String> {
    if bytes.first() != Some(&0x08) {
        return Err(NO_NETWORK.into());
    }
    for field in Fields::of(bytes) {
        match field? {
            (7, Value::Bytes(graph)) => graph_without(graph, 0)?,
            // Functions: their nodes.
            (25, Value::Bytes(function)) => {
                for field in Fields::of(function) {
                    if let (7, Value::Bytes(node)) = field? {
                        node_without(node, 0)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn graph_without(message: &[u8], depth: usize) -> Result<(), String> {
    if depth == MOST_DEPTH {
        return Err(format!(
            "it has more than {MOST_DEPTH} graphs within one another"
        ));
    }
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(node)) => node_without(node, depth)?,
            (5, Value::Bytes(tensor)) => tensor::without_other_files(tensor)?,
            (15, _) => return Err("it has sparse weights, which are not supported".into()),
            _ => {}
        }
    }
    Ok(())
}

fn node_without(message: &[u8], depth: usize) -> Result<(), String> {
    for field in Fields::of(message) {
        let (5, Value::Bytes(attribute)) = field? else {
            continue;
        };
        for field in Fields::of(attribute) {
            match field? {
                (5 | 10, Value::Bytes(tensor)) => tensor::without_other_files(tensor)?,
                (6 | 11, Value::Bytes(graph)) => graph_without(graph, depth + 1)?,
                _ => {}
            }
        }
    }
    Ok(())
}

pub(super) fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

fn read_graph(message: &[u8], file: &mut File) -> Result<(), String> {
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(message)) => {
                if file.nodes.len() == MOST_NODES {
                    return Err(format!("it has more than {MOST_NODES} nodes"));
                }
                file.nodes.push(read_node(message)?);
            }
            (5, Value::Bytes(message)) => file.weights.push(tensor::read(message)?),
            (11, Value::Bytes(message)) => file.inputs.push(read_described(message)?),
            (12, Value::Bytes(message)) => file.outputs.push(read_described(message)?),
            (15, _) => return Err("it has sparse weights, which are not supported".into()),
            _ => {}
        }
    }
    // Files of old versions list the weights among the inputs.
    let weights: HashSet<&str> = file.weights.iter().map(|(name, _)| name.as_str()).collect();
    file.inputs
        .retain(|input| !weights.contains(input.name.as_str()));
    Ok(())
}

fn read_node(message: &[u8]) -> Result<FileNode, String> {
    let mut node = FileNode::default();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(name)) => node.inputs.push(text(name)?.into()),
            (2, Value::Bytes(name)) => node.outputs.push(text(name)?.into()),
            (3, Value::Bytes(name)) => node.name = text(name)?.into(),
            (4, Value::Bytes(name)) => node.operator = text(name)?.into(),
            (5, Value::Bytes(message)) => {
                let (name, value) = attribute::read(message)?;
                node.attributes.insert(name, value);
            }
            (7, Value::Bytes(name)) => node.domain = text(name)?.into(),
            _ => {}
        }
    }
    Ok(node)
}

fn read_described(message: &[u8]) -> Result<Described, String> {
    let (mut name, mut element, mut shape) = (String::new(), None, None);
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(bytes)) => name = text(bytes)?.into(),
            (2, Value::Bytes(message)) => {
                for field in Fields::of(message) {
                    // A tensor; sequences and maps are other fields.
                    if let (1, Value::Bytes(message)) = field? {
                        (element, shape) = read_type(message)?;
                    }
                }
            }
            _ => {}
        }
    }
    match element {
        Some(element) => Ok(Described {
            element: Type::of(element).map_err(|wrong| format!("`{}`: {wrong}", shown(&name)))?,
            name,
            shape,
        }),
        None => Err(format!(
            "`{}` is not a tensor: export the network with tensors as its inputs and outputs (skl2onnx: `zipmap: False`)",
            shown(&name)
        )),
    }
}

type Dimensions = Option<Vec<Option<u32>>>;

fn read_type(message: &[u8]) -> Result<(Option<u64>, Dimensions), String> {
    let (mut element, mut shape) = (None, None);
    for field in Fields::of(message) {
        match field? {
            (1, Value::Number(number)) => element = Some(number),
            (2, Value::Bytes(message)) => {
                let mut sides = Vec::new();
                for field in Fields::of(message) {
                    let (1, Value::Bytes(message)) = field? else {
                        continue;
                    };
                    let mut side = None;
                    for field in Fields::of(message) {
                        if let (1, Value::Number(number)) = field? {
                            // Some tools write 0 or -1 for any size.
                            side = u32::try_from(number).ok().filter(|side| *side > 0);
                        }
                    }
                    sides.push(side);
                }
                shape = Some(sides);
            }
            _ => {}
        }
    }
    Ok((element, shape))
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a name"))
}

/// A name of the file as messages have it.
pub(super) fn shown(name: &str) -> String {
    let mut shown: String = name.chars().take(120).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}
