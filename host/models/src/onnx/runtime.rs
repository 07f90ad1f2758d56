//! Networks computed by ONNX Runtime, of which the user has the library: faster, with more operators,
//! and written in C++, so a network is as trusted there as the library.
//!
//! A session computes for one thread at a time (the crate `ort` says why), on that thread alone. Threads
//! that ask at the same time have a session each; these share the weights that the runtime has
//! packed for its products.

use super::read::{Described, Type, without_other_files};
use super::run::Stopped;
use super::value::{Array, Data};
use crate::mapped::Bytes;
use libloading::{Library, Symbol};
use ort::session::builder::{GraphOptimizationLevel, PrepackedWeights};
use ort::session::{Session, SessionInputValue};
use ort::sys::{ORT_API_VERSION, OrtApiBase};
use ort::value::{
    DynValue, Outlet, PrimitiveTensorElementType, Tensor, TensorElementType, ValueType,
};
use std::ffi::CStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The library of ONNX Runtime in this process. There is one at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    version: String,
    path: PathBuf,
}

static LOADED: OnceLock<Result<Runtime, String>> = OnceLock::new();

impl Runtime {
    /// Loads the library, `libonnxruntime.so` of version 1.17 or later. It stays loaded; a process has one,
    /// and what the first call found holds for all.
    ///
    /// # Errors
    /// When the file cannot be loaded, or is no such library.
    pub fn load(path: &Path) -> Result<&'static Self, String> {
        let loaded = LOADED.get_or_init(|| load(path)).as_ref();
        let loaded = loaded.map_err(Clone::clone)?;
        match loaded.path == path {
            true => Ok(loaded),
            false => Err(format!(
                "this process has another one, `{}`",
                loaded.path.display()
            )),
        }
    }

    /// Its version: `1.32.0`.
    pub fn version(&self) -> &str {
        &self.version
    }
}

fn load(path: &Path) -> Result<Runtime, String> {
    // SAFETY: the user names a library to be run in this process; that it is ONNX Runtime is what its
    // interface is asked for first.
    let library = unsafe { Library::new(path) }.map_err(|e| format!("it cannot be loaded: {e}"))?;
    // SAFETY: a function of this name has this type in every version of the library.
    let entry: Symbol<'_, unsafe extern "C" fn() -> *const OrtApiBase> =
        unsafe { library.get(b"OrtGetApiBase") }
            .map_err(|_| "it is not ONNX Runtime: it has no `OrtGetApiBase`".to_owned())?;
    // SAFETY: it returns a table that lives as long as the library, with these functions in it.
    let (version, api) = unsafe {
        let base = entry().as_ref().ok_or("it has no interface")?;
        let version = CStr::from_ptr((base.GetVersionString)());
        (
            version.to_string_lossy().into_owned(),
            (base.GetApi)(ORT_API_VERSION).as_ref(),
        )
    };
    let api = api.ok_or_else(|| {
        format!("it is ONNX Runtime {version}, and 1.{ORT_API_VERSION} or later is needed")
    })?;
    ort::set_api(api.clone());
    // Never unloaded: the interface is used until the process ends.
    std::mem::forget(library);
    Ok(Runtime {
        version,
        path: path.to_owned(),
    })
}

/// A network.
pub(super) struct Network {
    pub(super) inputs: Vec<Described>,
    pub(super) outputs: Vec<Described>,
    bytes: Bytes,
    packed: PrepackedWeights,
    /// Sessions that no thread is using.
    free: Mutex<Vec<Session>>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

impl Network {
    pub(super) fn read(bytes: Bytes) -> Result<Self, String> {
        without_other_files(&bytes)?;
        let packed = PrepackedWeights::new();
        let session = open(&bytes, &packed)?;
        Ok(Self {
            inputs: described(session.inputs())?,
            outputs: described(session.outputs())?,
            bytes,
            packed,
            free: Mutex::new(vec![session]),
        })
    }

    /// Computes the outputs from the inputs, which are in the network's order.
    pub(super) fn run(&self, inputs: Vec<Array>) -> Result<Vec<Array>, Stopped> {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let session = free().pop();
        let mut session = match session {
            Some(session) => session,
            None => open(&self.bytes, &self.packed).map_err(Stopped::Failed)?,
        };
        let done = self.run_on(&mut session, inputs);
        free().push(session);
        done.map_err(Stopped::Failed)
    }

    fn run_on(&self, session: &mut Session, inputs: Vec<Array>) -> Result<Vec<Array>, String> {
        let inputs = self.inputs.iter().zip(inputs).map(|(about, array)| {
            let value = value(about.element, array)?;
            Ok((about.name.as_str(), SessionInputValue::from(value)))
        });
        let inputs = inputs.collect::<Result<Vec<_>, String>>()?;
        let found = session.run(inputs).map_err(|e| said(&e))?;
        let outputs = self.outputs.iter().enumerate();
        outputs
            .map(|(at, about)| array(about.element, &found[at]))
            .collect()
    }
}

fn open(bytes: &[u8], packed: &PrepackedWeights) -> Result<Session, String> {
    let wrong = |e: ort::Error<_>| said(&e);
    Session::builder()
        .map_err(|e| said(&e))?
        .with_intra_threads(1)
        .map_err(wrong)?
        .with_inter_threads(1)
        .map_err(wrong)?
        .with_optimization_level(GraphOptimizationLevel::All)
        .map_err(wrong)?
        .with_deterministic_compute(true)
        .map_err(wrong)?
        .with_prepacked_weights(packed)
        .map_err(wrong)?
        .commit_from_memory(bytes)
        .map_err(|e| said(&e))
}

/// What the runtime says, in one line.
fn said(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("ONNX Runtime says: {line}")
}

fn described(outlets: &[Outlet]) -> Result<Vec<Described>, String> {
    let one = |outlet: &Outlet| {
        let name = outlet.name().to_owned();
        let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
            return Err(format!(
                "`{name}` is not a tensor: export the network without lists and mappings as outputs"
            ));
        };
        let element = match ty {
            TensorElementType::Float32 => Type::Float,
            TensorElementType::Uint8 => Type::UInt8,
            TensorElementType::Int8 => Type::Int8,
            TensorElementType::Int32 => Type::Int32,
            TensorElementType::Int64 => Type::Int64,
            TensorElementType::Bool => Type::Bool,
            other => {
                return Err(format!(
                    "`{name}` has numbers of the type {other}, which are not supported"
                ));
            }
        };
        let sides = shape.iter().map(|side| u32::try_from(*side).ok());
        Ok(Described {
            name,
            element,
            shape: Some(sides.collect()),
        })
    };
    outlets.iter().map(one).collect()
}

fn value(element: Type, array: Array) -> Result<DynValue, String> {
    fn tensor<T: PrimitiveTensorElementType + fmt::Debug + Clone + 'static>(
        shape: Vec<usize>,
        values: Vec<T>,
    ) -> Result<DynValue, String> {
        let made = Tensor::from_array((shape, values)).map_err(|e| said(&e))?;
        Ok(made.into_dyn())
    }
    fn narrow<T: TryFrom<i64>>(values: Vec<i64>) -> Result<Vec<T>, String> {
        let values = values.into_iter().map(T::try_from);
        let values: Result<Vec<T>, _> = values.collect();
        values.map_err(|_| "a number does not fit the type of the input".to_owned())
    }
    let shape = array.shape;
    match (element, array.data) {
        (Type::Float, Data::Float(values)) => tensor(shape, values),
        (Type::Bool, Data::Bool(values)) => tensor(shape, values),
        (Type::Int64, Data::Int(values)) => tensor(shape, values),
        (Type::Int32, Data::Int(values)) => tensor(shape, narrow::<i32>(values)?),
        (Type::Int8, Data::Int(values)) => tensor(shape, narrow::<i8>(values)?),
        (Type::UInt8, Data::Int(values)) => tensor(shape, narrow::<u8>(values)?),
        (_, data) => Err(format!("{} do not fit the input", data.name())),
    }
}

fn array(element: Type, value: &DynValue) -> Result<Array, String> {
    fn extract<T: PrimitiveTensorElementType + Clone, N>(
        value: &DynValue,
        to: impl Fn(&T) -> N,
    ) -> Result<(Vec<usize>, Vec<N>), String> {
        let (shape, values) = value.try_extract_tensor::<T>().map_err(|e| said(&e))?;
        let shape = shape.iter().map(|side| usize::try_from(*side).unwrap_or(0));
        Ok((shape.collect(), values.iter().map(to).collect()))
    }
    let int = |(shape, values)| Array::new(shape, Data::Int(values));
    Ok(match element {
        Type::Float => {
            let (shape, values) = extract::<f32, _>(value, |v| *v)?;
            Array::new(shape, Data::Float(values))
        }
        Type::Bool => {
            let (shape, values) = extract::<bool, _>(value, |v| *v)?;
            Array::new(shape, Data::Bool(values))
        }
        Type::Int64 => int(extract::<i64, _>(value, |v| *v)?),
        Type::Int32 => int(extract::<i32, _>(value, |v| i64::from(*v))?),
        Type::Int8 => int(extract::<i8, _>(value, |v| i64::from(*v))?),
        Type::UInt8 => int(extract::<u8, _>(value, |v| i64::from(*v))?),
    })
}
