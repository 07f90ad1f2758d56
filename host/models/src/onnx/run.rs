//! Computes a network, node by node.

use super::graph::{Graph, Node};
use super::ops::Call;
use super::room::Room;
use super::value::Array;
use std::borrow::Cow;

/// Why a computation ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// The caller asked for that.
    Asked,
    /// It cannot be done: the inputs do not fit the network, or it takes too much memory.
    Failed(String),
}

/// The values that are there, and the memory that they take.
struct Slots {
    values: Vec<Option<Array>>,
    bytes: usize,
}

impl Slots {
    fn put(&mut self, at: usize, value: Array) {
        self.bytes += value.bytes();
        self.values[at] = Some(value);
    }

    fn take(&mut self, at: usize) -> Option<Array> {
        let value = self.values[at].take()?;
        self.bytes -= value.bytes();
        Some(value)
    }
}

/// Computes the outputs from the inputs, which are in the network's order. Before each node `go_on`
/// is asked.
pub(super) fn run(
    graph: &Graph,
    inputs: Vec<Array>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Vec<Array>, Stopped> {
    let mut slots = Slots {
        values: graph.weights.iter().map(|_| None).collect(),
        bytes: 0,
    };
    for ((_, at), value) in graph.inputs.iter().zip(inputs) {
        slots.put(*at, value);
    }
    for node in &graph.nodes {
        if !go_on() {
            return Err(Stopped::Asked);
        }
        step(graph, node, &mut slots)
            .map_err(|wrong| Stopped::Failed(format!("{}: {wrong}", node.name)))?;
    }
    let outputs = graph.outputs.iter().enumerate().map(|(place, (_, at))| {
        let again = graph.outputs[place + 1..]
            .iter()
            .any(|(_, other)| other == at);
        let value = match again {
            true => slots.values[*at].clone(),
            false => slots.values[*at].take(),
        };
        value.or_else(|| graph.weights[*at].clone())
    });
    outputs
        .collect::<Option<_>>()
        .ok_or_else(|| Stopped::Failed("an output was not computed".into()))
}

fn step(graph: &Graph, node: &Node, slots: &mut Slots) -> Result<(), String> {
    let room = Room::beside(slots.bytes);
    // An operator may write its result over what nobody else reads.
    let once = |value: usize| {
        node.inputs
            .iter()
            .flatten()
            .filter(|v| **v == value)
            .count()
            == 1
    };
    let own: Vec<Option<Array>> = node
        .inputs
        .iter()
        .map(|input| {
            let value = (*input)?;
            let is_last = node.ends.contains(&value) && once(value);
            is_last.then(|| slots.take(value)).flatten()
        })
        .collect();
    let inputs = node.inputs.iter().zip(own).map(|(input, own)| match own {
        Some(value) => Some(Cow::Owned(value)),
        None => {
            let value = (*input)?;
            let value = slots.values[value]
                .as_ref()
                .or(graph.weights[value].as_ref());
            value.map(Cow::Borrowed)
        }
    });
    let mut call = Call {
        inputs: inputs.collect(),
        attributes: &node.attributes,
        outputs: node.outputs.len(),
        opset: graph.opset,
        room,
    };
    let results = (node.operator.compute)(&mut call)?;
    if results.len()
        < node
            .outputs
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |at| at + 1)
    {
        return Err("it has more outputs than are supported".into());
    }
    drop(call);
    for (at, value) in node.outputs.iter().zip(results) {
        if let Some(at) = at {
            slots.put(*at, value);
        }
    }
    for value in &node.ends {
        slots.take(*value);
    }
    Ok(())
}
