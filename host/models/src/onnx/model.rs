//! A network, ready for use.

use super::graph::Graph;
use super::read::{Described, Type, read, shown};
use super::room::Room;
use super::run::{Stopped, run};
use super::runtime::{Network, Runtime};
use super::value::{Array, Data};
use crate::mapped::Bytes;
use crate::{Element, Info, Kind, Tensor, TensorData, TensorInfo};

/// A network.
#[derive(Debug)]
pub struct Model {
    engine: Engine,
    /// The size of the file.
    size: u64,
}

/// What computes it.
#[derive(Debug)]
enum Engine {
    Own(Graph),
    Runtime(&'static Runtime, Network),
}

impl Model {
    pub(crate) fn read(bytes: Bytes, runtime: Option<&'static Runtime>) -> Result<Self, String> {
        let size = bytes.len() as u64;
        let engine = match runtime {
            Some(runtime) => Engine::Runtime(runtime, Network::read(bytes)?),
            None => Engine::Own(Graph::new(read(&bytes)?)?),
        };
        Ok(Self { engine, size })
    }

    fn inputs(&self) -> Vec<&Described> {
        match &self.engine {
            Engine::Own(graph) => graph.inputs.iter().map(|(about, _)| about).collect(),
            Engine::Runtime(_, network) => network.inputs.iter().collect(),
        }
    }

    fn outputs(&self) -> Vec<&Described> {
        match &self.engine {
            Engine::Own(graph) => graph.outputs.iter().map(|(about, _)| about).collect(),
            Engine::Runtime(_, network) => network.outputs.iter().collect(),
        }
    }

    /// Computes the outputs, in the network's order, from the inputs, which are found by their
    /// names.
    ///
    /// # Errors
    /// When an input is missing, unknown or of a wrong shape or type, when the shapes demand too
    /// much memory, or the network cannot compute with them.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, String> {
        self.run_while(inputs, &mut || true)
            .map_err(|stopped| match stopped {
                Stopped::Asked => "it was stopped".into(),
                Stopped::Failed(wrong) => wrong,
            })
    }

    /// As [`run`](Self::run), as long as `go_on` says so: it is asked before each node, and with ONNX
    /// Runtime before and after the whole.
    ///
    /// # Errors
    /// As those of [`run`](Self::run), and when `go_on` ended it.
    pub fn run_while(
        &self,
        inputs: &[Tensor],
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<Tensor>, Stopped> {
        let arrays = self.arrays(inputs).map_err(Stopped::Failed)?;
        let outputs = match &self.engine {
            Engine::Own(graph) => run(graph, arrays, go_on)?,
            Engine::Runtime(..) if !go_on() => return Err(Stopped::Asked),
            Engine::Runtime(_, network) => {
                let outputs = network.run(arrays)?;
                if !go_on() {
                    return Err(Stopped::Asked);
                }
                outputs
            }
        };
        let outputs = self.outputs().into_iter().zip(outputs);
        outputs
            .map(|(about, value)| output(about, value).map_err(Stopped::Failed))
            .collect()
    }

    /// The inputs in the network's order.
    fn arrays(&self, given: &[Tensor]) -> Result<Vec<Array>, String> {
        let expected = self.inputs();
        let names = || {
            let names: Vec<String> = expected.iter().map(|about| shown(&about.name)).collect();
            format!("the network takes `{}`", names.join("`, `"))
        };
        if let Some(unknown) = given
            .iter()
            .find(|tensor| expected.iter().all(|about| about.name != tensor.name))
        {
            return Err(format!(
                "there is no input `{}`: {}",
                shown(&unknown.name),
                names()
            ));
        }
        let one = |about: &Described| {
            let mut found = given.iter().filter(|tensor| tensor.name == about.name);
            match (found.next(), found.next()) {
                (Some(tensor), None) => input(about, tensor)
                    .map_err(|wrong| format!("input `{}`: {wrong}", shown(&about.name))),
                (None, _) => Err(format!(
                    "the input `{}` is missing: {}",
                    shown(&about.name),
                    names()
                )),
                _ => Err(format!("the input `{}` is given twice", shown(&about.name))),
            }
        };
        expected.iter().map(|about| one(about)).collect()
    }

    pub(crate) fn info(&self) -> Info {
        let (resident, runtime) = match &self.engine {
            Engine::Own(graph) => {
                let weights = graph.weights.iter().flatten();
                let weights = weights.map(|weight| weight.bytes() as u64 + 64);
                (weights.sum::<u64>() + 512 * graph.nodes.len() as u64, None)
            }
            // The file is mapped, and the first session has a copy of the weights.
            Engine::Runtime(runtime, _) => (2 * self.size, Some(runtime.version().to_owned())),
        };
        Info {
            kind: Kind::Onnx,
            bytes: self.size,
            resident,
            vocabulary: None,
            inputs: self.inputs().into_iter().map(about).collect(),
            outputs: self.outputs().into_iter().map(about).collect(),
            runtime,
        }
    }
}

fn about(described: &Described) -> TensorInfo {
    TensorInfo {
        name: described.name.clone(),
        element: match described.element {
            Type::Float => Element::F32,
            Type::Int8 | Type::Int32 | Type::Int64 => Element::I64,
            Type::UInt8 | Type::Bool => Element::U8,
        },
        shape: described.shape.clone().unwrap_or_default(),
    }
}

fn input(about: &Described, tensor: &Tensor) -> Result<Array, String> {
    let shape: Vec<usize> = tensor.shape.iter().map(|side| *side as usize).collect();
    if let Some(expected) = &about.shape {
        let fits = |(side, expected): (&u32, &Option<u32>)| expected.is_none_or(|it| it == *side);
        if expected.len() != shape.len() || !tensor.shape.iter().zip(expected).all(fits) {
            return Err(format!(
                "its shape is {:?}, and the network takes {}",
                tensor.shape,
                sides(expected)
            ));
        }
    }
    let data = match (about.element, &tensor.data) {
        (Type::Float, TensorData::F32(values)) => Data::Float(values.clone()),
        (Type::Bool, TensorData::U8(values)) => {
            Data::Bool(values.iter().map(|value| *value != 0).collect())
        }
        (Type::Float | Type::Bool, _) | (_, TensorData::F32(_)) => {
            let given = tensor.data.element();
            return Err(format!(
                "it has numbers of the type {given:?}, and the network takes {:?}",
                about.element
            ));
        }
        (_, TensorData::I64(values)) => Data::Int(values.clone()),
        (_, TensorData::U8(values)) => Data::Int(values.iter().map(|v| i64::from(*v)).collect()),
    };
    if Room::beside(0).of(&shape, data.size())? != data.len() {
        return Err(format!(
            "there are {} numbers in the shape {shape:?}",
            data.len()
        ));
    }
    if let (Data::Int(values), Some((least, most))) = (&data, about.element.range())
        && let Some(value) = values.iter().find(|value| !(least..=most).contains(*value))
    {
        return Err(format!(
            "{value} is not in the range of {:?}",
            about.element
        ));
    }
    Ok(Array::new(shape, data))
}

fn sides(expected: &[Option<u32>]) -> String {
    let sides: Vec<String> = expected
        .iter()
        .map(|side| side.map_or("any".into(), |side| side.to_string()))
        .collect();
    format!("[{}]", sides.join(", "))
}

fn output(about: &Described, value: Array) -> Result<Tensor, String> {
    let wrong = || {
        format!(
            "output `{}` is not of its declared type",
            shown(&about.name)
        )
    };
    let data = match (about.element, value.data) {
        (Type::Float, Data::Float(values)) => TensorData::F32(values),
        (Type::Bool, Data::Bool(values)) => {
            TensorData::U8(values.into_iter().map(u8::from).collect())
        }
        (Type::UInt8, Data::Int(values)) => {
            let bytes = values.into_iter().map(u8::try_from);
            TensorData::U8(bytes.collect::<Result<_, _>>().map_err(|_| wrong())?)
        }
        (Type::Int8 | Type::Int32 | Type::Int64, Data::Int(values)) => TensorData::I64(values),
        _ => return Err(wrong()),
    };
    let shape = value.shape.iter().map(|side| u32::try_from(*side));
    Ok(Tensor {
        name: about.name.clone(),
        shape: shape.collect::<Result<_, _>>().map_err(|_| wrong())?,
        data,
    })
}
