//! How fast a model is: `cargo bench -p djhost-inference -- MODEL TEXTS.jsonl`, in CPU time.
//! `benches/peers.py` measures the Python packages with the same files.

use djhost_inference::onnx::Runtime;
use djhost_inference::{Model, Tensor, TensorData};
use rustix::time::{ClockId, clock_gettime};

/// Texts of so many bytes are used.
const BYTES: usize = 20 << 20;

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The memory of the process that is not of a file, in MB.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    number.unwrap_or_default() / 1e3
}

fn texts(path: &str) -> Vec<String> {
    let mut left = BYTES;
    let rows = std::fs::read_to_string(path).expect("the texts cannot be read");
    let texts = rows.lines().map(|row| {
        let row: serde_json::Value = serde_json::from_str(row).expect("a row is no JSON");
        row["text"].as_str().unwrap_or_default().replace('\n', " ")
    });
    texts
        .take_while(|text| {
            let fits = left > 0;
            left = left.saturating_sub(text.len());
            fits
        })
        .collect()
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [model, rows] = &args[..] else {
        println!("give a model and a JSONL file with `text`: MODEL TEXTS.jsonl");
        return;
    };
    let (before, memory_before) = (cpu_seconds(), memory());
    // A network by ONNX Runtime, if the variable names its library.
    let runtime = std::env::var_os("ORT_DYLIB_PATH")
        .map(|path| Runtime::load(path.as_ref()).unwrap_or_else(|error| panic!("{error}")));
    let model =
        Model::open_with(model.as_ref(), None, runtime).unwrap_or_else(|error| panic!("{error}"));
    println!(
        "{:?}\nopened in {:.3} s, {:.1} MB",
        model.info(),
        cpu_seconds() - before,
        memory() - memory_before
    );
    let texts = texts(rows);
    let bytes: usize = texts.iter().map(String::len).sum();
    // The first time pages are read in.
    for _ in 0..3 {
        let before = cpu_seconds();
        let sum: f64 = texts.iter().map(|text| work(&model, text)).sum();
        let seconds = cpu_seconds() - before;
        println!(
            "{} texts, {:.2} s, {:.2} MB/s, sum {sum}",
            texts.len(),
            seconds,
            bytes as f64 / seconds / 1e6
        );
    }
}

fn work(model: &Model, text: &str) -> f64 {
    match model {
        Model::Kenlm(model) => model.score(text),
        Model::Fasttext(model) => model
            .classify(text, 1)
            .iter()
            .map(|best| f64::from(best.1))
            .sum(),
        Model::Tokenizer(model) => model.count(text, false).map_or(0.0, f64::from),
        Model::List(list) => f64::from(u8::from(list.contains(text))),
        Model::Onnx(network) => {
            // Without a tokenizer: the first bytes are the ids of tokens.
            let ids: Vec<i64> = text.bytes().take(256).map(i64::from).collect();
            let inputs: Vec<Tensor> = model
                .info()
                .inputs
                .into_iter()
                .map(|input| Tensor {
                    data: TensorData::I64(match input.name.as_str() {
                        "input_ids" => ids.clone(),
                        "attention_mask" => vec![1; ids.len()],
                        _ => vec![0; ids.len()],
                    }),
                    shape: vec![1, ids.len() as u32],
                    name: input.name,
                })
                .collect();
            let outputs = network
                .run(&inputs)
                .unwrap_or_else(|wrong| panic!("{wrong}"));
            outputs[0].data.len() as f64
        }
    }
}
