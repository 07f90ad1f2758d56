//! Models that an op is lent: what a guest may ask of them, with every argument checked.

use std::sync::Arc;
use std::time::Duration;

use djhost_inference::onnx::Stopped;
use djhost_inference::{Element, Kind, Model, Tensor, TensorData};
use wasmtime::Trap;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::models::Lent;
use crate::wasm::abi::v0_2::models as wit;
use crate::wasm::cpu::thread_cpu;
use crate::wasm::grants::GrantedModel;
use crate::wasm::sandbox::Guest;

/// Most values that one call may be answered with: a guest that asks for more would fill the host's
/// memory before its own.
const MAX_ANSWERS: usize = 16 << 20;

/// A guest's handle to a model.
#[allow(unreachable_pub, reason = "the bindings export it again")]
pub struct Handle(Arc<Lent>);

/// What the functions of the interface work on.
pub(crate) struct Models<'a> {
    table: &'a mut ResourceTable,
    lent: &'a [GrantedModel],
    /// The CPU time of this thread at which the guest's call must end, if it must.
    deadline: Option<Duration>,
}

impl HasData for Models<'static> {
    type Data<'a> = Models<'a>;
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wit::add_to_linker::<Guest, Models<'static>>(linker, |guest| Models {
        table: &mut guest.table,
        lent: &guest.models,
        deadline: guest.interruptible.then_some(guest.deadline),
    })
}

/// What a call returns: a trap, an error for the guest, or its answer.
type Answer<T> = wasmtime::Result<Result<T, String>>;

/// The texts of a call, checked.
fn texts(input: &wit::Texts) -> Result<Vec<&str>, String> {
    let wit::Texts { offsets, data } = input;
    let whole = std::str::from_utf8(data).map_err(|_| "the texts are not UTF-8".to_owned())?;
    spans(offsets, data.len())?
        .map(|(from, to)| {
            whole
                .get(from..to)
                .ok_or_else(|| "an offset lies within a character".to_owned())
        })
        .collect()
}

/// The ranges that offsets describe, checked.
fn spans(offsets: &[u32], end: usize) -> Result<impl Iterator<Item = (usize, usize)>, String> {
    if offsets.first() != Some(&0) {
        return Err("the offsets must start with 0".into());
    }
    if offsets.is_sorted() && offsets.last().is_some_and(|last| *last as usize == end) {
        Ok(offsets.windows(2).map(|w| (w[0] as usize, w[1] as usize)))
    } else {
        Err(format!("the offsets must not fall, and end at {end}"))
    }
}

fn is_another(model: &Lent, wanted: Kind) -> String {
    format!(
        "this is {}, and the call is for {}",
        model.info.kind.with_article(),
        wanted.with_article()
    )
}

/// Collects texts in Arrow's layout.
struct Collected {
    offsets: Vec<u32>,
    data: Vec<u8>,
}

impl Collected {
    fn new() -> Self {
        Self {
            offsets: vec![0],
            data: Vec::new(),
        }
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        self.data.extend_from_slice(text.as_bytes());
        self.offsets
            .push(u32::try_from(self.data.len()).map_err(|_| too_much())?);
        Ok(())
    }

    fn finish(self) -> wit::Texts {
        wit::Texts {
            offsets: self.offsets,
            data: self.data,
        }
    }
}

fn too_much() -> String {
    format!("the answer would have more than {MAX_ANSWERS} values: ask for fewer texts at once")
}

fn failure(row: usize, reason: String) -> wit::Failure {
    wit::Failure {
        row: row as u32,
        reason,
    }
}

impl Models<'_> {
    fn get(&self, handle: &Resource<Handle>) -> wasmtime::Result<Arc<Lent>> {
        Ok(Arc::clone(&self.table.get(handle)?.0))
    }

    /// Traps if the guest's time is over, as its own code would. No model is interrupted within a
    /// text, nor within a node of a network.
    fn in_time(&self) -> wasmtime::Result<()> {
        match self.deadline {
            Some(deadline) if thread_cpu() >= deadline => Err(Trap::Interrupt.into()),
            _ => Ok(()),
        }
    }

    /// Calls `each` with the row and the text of all texts, until one is an error of the whole call.
    fn each(
        &self,
        input: &wit::Texts,
        mut each: impl FnMut(usize, &str) -> Result<(), String>,
    ) -> Answer<()> {
        let texts = match texts(input) {
            Ok(texts) => texts,
            Err(wrong) => return Ok(Err(wrong)),
        };
        for (row, text) in texts.into_iter().enumerate() {
            self.in_time()?;
            if let Err(wrong) = each(row, text) {
                return Ok(Err(wrong));
            }
        }
        Ok(Ok(()))
    }
}

impl wit::Host for Models<'_> {
    fn lent(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.lent.iter().map(|l| l.parameter.clone()).collect())
    }
}

impl wit::HostModel for Models<'_> {
    fn open(&mut self, parameter: String) -> Answer<Resource<Handle>> {
        match self.lent.iter().find(|l| l.parameter == parameter) {
            Some(lent) => Ok(Ok(self.table.push(Handle(Arc::clone(&lent.model)))?)),
            None => Ok(Err(
                "the recipe lends this operator no model for that parameter".into(),
            )),
        }
    }

    fn info(&mut self, model: Resource<Handle>) -> wasmtime::Result<wit::Info> {
        let model = self.get(&model)?;
        let tensors = |infos: &[djhost_inference::TensorInfo]| {
            let tensor = |info: &djhost_inference::TensorInfo| wit::TensorInfo {
                name: info.name.clone(),
                element: match info.element {
                    Element::F32 => wit::ElementType::F32,
                    Element::I64 => wit::ElementType::Int64,
                    Element::U8 => wit::ElementType::Uint8,
                },
                shape: info.shape.clone(),
            };
            infos.iter().map(tensor).collect()
        };
        Ok(wit::Info {
            kind: match model.info.kind {
                Kind::Kenlm => wit::Kind::Kenlm,
                Kind::Fasttext => wit::Kind::Fasttext,
                Kind::Tokenizer => wit::Kind::Tokenizer,
                Kind::Onnx => wit::Kind::Onnx,
                Kind::Lines => wit::Kind::Lines,
                Kind::Words => wit::Kind::Words,
                Kind::Substrings => wit::Kind::Substrings,
            },
            digest: model.digest.clone(),
            bytes: model.info.bytes,
            vocabulary: model.info.vocabulary,
            inputs: tensors(&model.info.inputs),
            outputs: tensors(&model.info.outputs),
        })
    }

    fn labels(&mut self, model: Resource<Handle>) -> Answer<wit::Texts> {
        let lent = self.get(&model)?;
        let Model::Fasttext(model) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Fasttext)));
        };
        let mut labels = Collected::new();
        Ok(model
            .labels()
            .iter()
            .try_for_each(|label| labels.push(label))
            .map(|()| labels.finish()))
    }

    fn score(
        &mut self,
        model: Resource<Handle>,
        input: wit::Texts,
        begin: bool,
        end: bool,
    ) -> Answer<Vec<f64>> {
        let lent = self.get(&model)?;
        let Model::Kenlm(model) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Kenlm)));
        };
        let mut scores = Vec::with_capacity(input.offsets.len().saturating_sub(1));
        let done = self.each(&input, |_, text| {
            scores.push(model.score_part(text, begin, end));
            Ok(())
        })?;
        Ok(done.map(|()| scores))
    }

    fn classify(
        &mut self,
        model: Resource<Handle>,
        input: wit::Texts,
        k: u32,
    ) -> Answer<wit::RankedLabels> {
        let lent = self.get(&model)?;
        let Model::Fasttext(model) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Fasttext)));
        };
        let k = (k as usize).min(model.labels().len());
        if input.offsets.len().saturating_mul(k) > MAX_ANSWERS {
            return Ok(Err(too_much()));
        }
        let mut ranked = wit::RankedLabels {
            offsets: vec![0],
            ids: Vec::new(),
            scores: Vec::new(),
        };
        let done = self.each(&input, |_, text| {
            for (label, score) in model.classify(text, k as u32) {
                ranked.ids.push(label);
                ranked.scores.push(score);
            }
            ranked.offsets.push(ranked.ids.len() as u32);
            Ok(())
        })?;
        Ok(done.map(|()| ranked))
    }

    fn count(
        &mut self,
        model: Resource<Handle>,
        input: wit::Texts,
        special: bool,
    ) -> Answer<wit::Counts> {
        let lent = self.get(&model)?;
        let Model::Tokenizer(model) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Tokenizer)));
        };
        let mut counts = wit::Counts {
            values: Vec::new(),
            failed: Vec::new(),
        };
        let done = self.each(&input, |row, text| {
            let count = model.count(text, special).unwrap_or_else(|reason| {
                counts.failed.push(failure(row, reason));
                0
            });
            counts.values.push(count);
            Ok(())
        })?;
        Ok(done.map(|()| counts))
    }

    fn encode(
        &mut self,
        model: Resource<Handle>,
        input: wit::Texts,
        special: bool,
    ) -> Answer<wit::TokenLists> {
        let lent = self.get(&model)?;
        let Model::Tokenizer(model) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Tokenizer)));
        };
        let mut lists = wit::TokenLists {
            offsets: vec![0],
            ids: Vec::new(),
            failed: Vec::new(),
        };
        let done = self.each(&input, |row, text| {
            match model.encode(text, special) {
                Ok(ids) => lists.ids.extend(ids),
                Err(reason) => lists.failed.push(failure(row, reason)),
            }
            lists.offsets.push(lists.ids.len() as u32);
            if lists.ids.len() > MAX_ANSWERS {
                return Err(too_much());
            }
            Ok(())
        })?;
        Ok(done.map(|()| lists))
    }

    fn pieces(&mut self, model: Resource<Handle>, input: wit::Texts) -> Answer<wit::PieceLists> {
        let lent = self.get(&model)?;
        let Model::Tokenizer(model) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Tokenizer)));
        };
        let (mut offsets, mut values, mut failed) = (vec![0], Collected::new(), Vec::new());
        let done = self.each(&input, |row, text| {
            match model.pieces(text) {
                Ok(pieces) => pieces.iter().try_for_each(|piece| values.push(piece))?,
                Err(reason) => failed.push(failure(row, reason)),
            }
            offsets.push(values.offsets.len() as u32 - 1);
            if values.offsets.len() > MAX_ANSWERS {
                return Err(too_much());
            }
            Ok(())
        })?;
        Ok(done.map(|()| wit::PieceLists {
            offsets,
            values: values.finish(),
            failed,
        }))
    }

    fn decode(
        &mut self,
        model: Resource<Handle>,
        offsets: Vec<u32>,
        ids: Vec<u32>,
    ) -> Answer<wit::Decoded> {
        let lent = self.get(&model)?;
        let Model::Tokenizer(model) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Tokenizer)));
        };
        let spans = match spans(&offsets, ids.len()) {
            Ok(spans) => spans,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let (mut values, mut failed) = (Collected::new(), Vec::new());
        for (row, (from, to)) in spans.enumerate() {
            self.in_time()?;
            let text = model.decode(&ids[from..to]).unwrap_or_else(|reason| {
                failed.push(failure(row, reason));
                String::new()
            });
            if let Err(wrong) = values.push(&text) {
                return Ok(Err(wrong));
            }
        }
        Ok(Ok(wit::Decoded {
            values: values.finish(),
            failed,
        }))
    }

    fn run(
        &mut self,
        model: Resource<Handle>,
        inputs: Vec<wit::Tensor>,
    ) -> Answer<Vec<wit::Tensor>> {
        let lent = self.get(&model)?;
        let Model::Onnx(model) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Onnx)));
        };
        let inputs: Result<Vec<Tensor>, String> = inputs.into_iter().map(tensor_in).collect();
        let inputs = match inputs {
            Ok(inputs) => inputs,
            Err(wrong) => return Ok(Err(wrong)),
        };
        match model.run_while(&inputs, &mut || self.in_time().is_ok()) {
            Ok(outputs) => Ok(Ok(outputs.into_iter().map(tensor_out).collect())),
            Err(Stopped::Failed(wrong)) => Ok(Err(wrong)),
            Err(Stopped::Asked) => Err(Trap::Interrupt.into()),
        }
    }

    fn contains(&mut self, model: Resource<Handle>, input: wit::Texts) -> Answer<Vec<bool>> {
        let lent = self.get(&model)?;
        let Model::List(list) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Lines)));
        };
        let mut found = Vec::new();
        let done = self.each(&input, |_, text| {
            found.push(list.contains(text));
            Ok(())
        })?;
        Ok(done.map(|()| found))
    }

    fn occurrences(
        &mut self,
        model: Resource<Handle>,
        input: wit::Texts,
        most: u32,
    ) -> Answer<Vec<u32>> {
        let lent = self.get(&model)?;
        let Model::List(list) = &lent.model else {
            return Ok(Err(is_another(&lent, Kind::Substrings)));
        };
        if lent.info.kind != Kind::Substrings {
            return Ok(Err(is_another(&lent, Kind::Substrings)));
        }
        let mut found = Vec::new();
        let done = self.each(&input, |_, text| {
            found.push(list.occurrences(text, most));
            Ok(())
        })?;
        Ok(done.map(|()| found))
    }

    fn drop(&mut self, model: Resource<Handle>) -> wasmtime::Result<()> {
        self.table.delete(model)?;
        Ok(())
    }
}

/// A tensor of the guest; its shape must fit its values.
fn tensor_in(tensor: wit::Tensor) -> Result<Tensor, String> {
    let data = match tensor.data {
        wit::TensorData::F32(values) => TensorData::F32(values),
        wit::TensorData::Int64(values) => TensorData::I64(values),
        wit::TensorData::Uint8(values) => TensorData::U8(values),
    };
    let size = tensor
        .shape
        .iter()
        .try_fold(1usize, |size, side| size.checked_mul(*side as usize));
    if size != Some(data.len()) {
        return Err(format!(
            "input `{}` has the shape {:?} and {} values",
            tensor.name.escape_debug(),
            tensor.shape,
            data.len()
        ));
    }
    Ok(Tensor {
        name: tensor.name,
        shape: tensor.shape,
        data,
    })
}

fn tensor_out(tensor: Tensor) -> wit::Tensor {
    wit::Tensor {
        name: tensor.name,
        shape: tensor.shape,
        data: match tensor.data {
            TensorData::F32(values) => wit::TensorData::F32(values),
            TensorData::I64(values) => wit::TensorData::Int64(values),
            TensorData::U8(values) => wit::TensorData::Uint8(values),
        },
    }
}
