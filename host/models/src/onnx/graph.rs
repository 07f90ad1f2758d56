//! A network, checked: values are numbers instead of names, and each is there before it is used.

use super::ops::{Operator, operator};
use super::read::{Attribute, Attributes, Described, File, FileNode, is_standard, shown};
use super::value::Array;
use crate::error::damaged;
use std::collections::{BTreeSet, HashMap};

/// A step of the computation.
#[derive(Debug)]
pub(super) struct Node {
    pub operator: &'static Operator,
    /// Which of the nodes it is, for messages.
    pub name: String,
    /// The values that it reads; None for an optional one that is not given.
    pub inputs: Vec<Option<usize>>,
    /// The values that it computes; None for one that nobody wants.
    pub outputs: Vec<Option<usize>>,
    pub attributes: Attributes,
    /// The values that no later node reads.
    pub ends: Vec<usize>,
}

/// A network.
#[derive(Debug)]
pub(super) struct Graph {
    pub opset: i64,
    pub nodes: Vec<Node>,
    /// The weights by the number of their value.
    pub weights: Vec<Option<Array>>,
    /// What is given, and the numbers of these values.
    pub inputs: Vec<(Described, usize)>,
    /// What is wanted, and the numbers of these values.
    pub outputs: Vec<(Described, usize)>,
}

/// The values that are there, by their names.
#[derive(Default)]
struct Values {
    numbers: HashMap<String, usize>,
    weights: Vec<Option<Array>>,
}

impl Values {
    fn add(&mut self, name: String, weight: Option<Array>) -> Result<usize, String> {
        let number = self.weights.len();
        if name.is_empty() {
            return Err(damaged("a value without a name"));
        }
        let twice = format!("two values are called `{}`", shown(&name));
        match self.numbers.insert(name, number) {
            Some(_) => Err(damaged(&twice)),
            None => {
                self.weights.push(weight);
                Ok(number)
            }
        }
    }
}

impl Graph {
    /// Checks what a file has.
    ///
    /// # Errors
    /// When it uses what is not supported, or does not fit together.
    pub(super) fn new(file: File) -> Result<Self, String> {
        let opset = file.opset;
        supported(&file.nodes)?;
        let mut values = Values::default();
        for (name, weight) in file.weights {
            values.add(name, Some(weight))?;
        }
        let mut inputs = Vec::new();
        for input in file.inputs {
            let number = values.add(input.name.clone(), None)?;
            inputs.push((input, number));
        }
        let mut nodes = Vec::new();
        for (at, node) in file.nodes.into_iter().enumerate() {
            nodes.extend(node_of(at, node, &mut values)?);
        }
        let mut outputs = Vec::new();
        for output in file.outputs {
            let number = values.numbers.get(&output.name).copied();
            let number = number.ok_or_else(|| {
                damaged(&format!(
                    "nothing computes the output `{}`",
                    shown(&output.name)
                ))
            })?;
            outputs.push((output, number));
        }
        if outputs.is_empty() {
            return Err(damaged("it has no outputs"));
        }
        mark_ends(&mut nodes, &outputs, values.weights.len());
        Ok(Self {
            opset,
            nodes,
            weights: values.weights,
            inputs,
            outputs,
        })
    }
}

/// Refuses a network that uses operators which are not there, with all of their names.
fn supported(nodes: &[FileNode]) -> Result<(), String> {
    let lacks: BTreeSet<String> = nodes
        .iter()
        .filter(|node| {
            let known = node.operator == "Constant" || operator(&node.operator).is_some();
            !is_standard(&node.domain) || !known
        })
        .map(|node| match is_standard(&node.domain) {
            true => shown(&node.operator),
            false => format!("{} of {}", shown(&node.operator), shown(&node.domain)),
        })
        .collect();
    if lacks.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = lacks.iter().take(12).map(String::as_str).collect();
    Err(format!(
        "it uses operators of ONNX that are not supported: {}{}; export it without quantisation, control flow and operators of one runtime alone",
        shown.join(", "),
        if lacks.len() > shown.len() {
            ", …"
        } else {
            ""
        }
    ))
}

/// A step of a node, or none for a constant, which becomes a weight.
fn node_of(at: usize, node: FileNode, values: &mut Values) -> Result<Option<Node>, String> {
    let name = match node.name.is_empty() {
        true => format!("node {at}, {}", shown(&node.operator)),
        false => format!(
            "node {at}, {} `{}`",
            shown(&node.operator),
            shown(&node.name)
        ),
    };
    if node.operator == "Constant" {
        let value = constant(node.attributes).map_err(|wrong| format!("{name}: {wrong}"))?;
        if let Some(output) = node.outputs.into_iter().next() {
            values.add(output, Some(value))?;
        }
        return Ok(None);
    }
    let Some(operator) = operator(&node.operator) else {
        return Err(damaged("an operator"));
    };
    let known = |attribute: &&String| !operator.attributes.contains(&attribute.as_str());
    if let Some(attribute) = node.attributes.keys().find(known) {
        return Err(format!(
            "{name}: its attribute `{}` is not supported",
            shown(attribute)
        ));
    }
    let mut inputs = Vec::new();
    for input in &node.inputs {
        let number = values.numbers.get(input).copied();
        if number.is_none() && !input.is_empty() {
            let what = format!("{name}: nothing before it computes `{}`", shown(input));
            return Err(damaged(&what));
        }
        inputs.push(number);
    }
    if inputs.len() < operator.least {
        return Err(damaged(&format!("{name}: it has too few inputs")));
    }
    let outputs = node
        .outputs
        .into_iter()
        .map(|output| match output.is_empty() {
            true => Ok(None),
            false => values.add(output, None).map(Some),
        });
    Ok(Some(Node {
        operator,
        name,
        inputs,
        outputs: outputs.collect::<Result<_, _>>()?,
        attributes: node.attributes,
        ends: Vec::new(),
    }))
}

fn constant(attributes: Attributes) -> Result<Array, String> {
    use super::value::Data;
    let value = attributes.into_iter().next();
    Ok(match value {
        Some((_, Attribute::Tensor(value))) => value,
        Some((_, Attribute::Int(value))) => Array::new(Vec::new(), Data::Int(vec![value])),
        Some((_, Attribute::Float(value))) => Array::new(Vec::new(), Data::Float(vec![value])),
        Some((_, Attribute::Ints(values))) => Array::ints(values),
        Some((_, Attribute::Floats(values))) => Array::new(vec![values.len()], Data::Float(values)),
        _ => return Err("a constant of a type that is not supported".into()),
    })
}

/// Finds the last node that reads each value.
fn mark_ends(nodes: &mut [Node], outputs: &[(Described, usize)], values: usize) {
    let mut wanted = vec![false; values];
    for (_, output) in outputs {
        wanted[*output] = true;
    }
    for node in nodes.iter_mut().rev() {
        for value in node.inputs.iter().chain(&node.outputs).flatten() {
            if !std::mem::replace(&mut wanted[*value], true) {
                node.ends.push(*value);
            }
        }
    }
}
