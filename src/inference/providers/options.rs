//! Options of each provider: JSON as a caller writes it -> the pairs of strings that ONNX Runtime takes.
//!
//! What matters has a name and a type of ours; the rest goes through `more` as ONNX Runtime documents it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Precision;
use crate::error::{Error, Result};

/// What the options of one provider come to.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// For ONNX Runtime.
    pub pairs: BTreeMap<String, String>,
    pub precision: Precision,
    /// A folder that the provider keeps what it compiles in.
    pub cache: Option<PathBuf>,
    /// A folder with the libraries that the provider needs.
    pub libraries: Option<PathBuf>,
    /// Number of the device, among those that the provider has.
    pub device: usize,
    /// Whether the CPU's memory is taken in large pieces that are kept.
    pub arena: bool,
    /// Bits of NNAPI, which takes no pairs.
    pub flags: u32,
}

impl Settings {
    fn new(precision: Precision, more: BTreeMap<String, String>) -> Self {
        Self { pairs: more, precision, ..Self::default() }
    }

    /// Refuses what `more` says too: an option has one place.
    fn set(&mut self, key: &str, value: impl ToString) -> Result<()> {
        match self.pairs.insert(key.into(), value.to_string()) {
            None => Ok(()),
            Some(_) => Err(Error::argument(format!("\"more\" has {key:?}, which an option of its own sets"))),
        }
    }

    fn set_if(&mut self, key: &str, value: Option<impl ToString>) -> Result<()> {
        value.map_or(Ok(()), |value| self.set(key, value))
    }

    fn cached(&mut self, key: &str, cache: Option<PathBuf>) -> Result<()> {
        let Some(cache) = cache else { return Ok(()) };
        if !cache.is_dir() {
            return Err(Error::argument(format!("\"cache\" is {:?}, which is no folder", cache.display())));
        }
        self.set(key, cache.display())?;
        self.cache = Some(cache);
        Ok(())
    }
}

/// `true` as ONNX Runtime reads it.
fn bit(value: bool) -> u8 {
    value.into()
}

/// Reads JSON of one provider's options; unknown members are refused with the list of the known ones.
fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    if !json.trim_start().starts_with('{') {
        return Err(Error::argument("they are a JSON object"));
    }
    serde_json::from_str(json).map_err(|error| Error::argument(error.to_string()))
}

pub(super) fn cpu(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Cpu {
        #[serde(default = "yes")]
        arena: bool,
    }
    fn yes() -> bool {
        true
    }
    let Cpu { arena } = parse(json)?;
    Ok(Settings { arena, ..Settings::new(Precision::Manifest, BTreeMap::new()) })
}

/// How an arena grows.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Grow {
    Doubling,
    AsNeeded,
}

/// How cuDNN's kernels for convolutions are chosen.
#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Search {
    Exhaustive,
    #[default]
    Heuristic,
    Default,
}

pub(super) fn cuda(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Cuda {
        #[serde(default)]
        device: usize,
        #[serde(default)]
        tf32: bool,
        memory_limit: Option<u64>,
        arena: Option<Grow>,
        #[serde(default)]
        convolutions: Search,
        libraries: Option<PathBuf>,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let given: Cuda = parse(json)?;
    // A graph is recorded with the addresses of one run's tensors, and would read old audio in the next one.
    if given.more.contains_key("enable_cuda_graph") {
        return Err(Error::argument(
            "\"more\" has \"enable_cuda_graph\", with which scores would be old ones",
        ));
    }
    let precision = if given.tf32 { Precision::Tf32 } else { Precision::Full };
    let mut settings = Settings::new(precision, given.more);
    settings.set("device_id", given.device)?;
    settings.set("use_tf32", bit(given.tf32))?;
    settings.set_if("gpu_mem_limit", given.memory_limit)?;
    let grow = given.arena.map(|grow| match grow {
        Grow::Doubling => "kNextPowerOfTwo",
        Grow::AsNeeded => "kSameAsRequested",
    });
    settings.set_if("arena_extend_strategy", grow)?;
    let search = match given.convolutions {
        Search::Exhaustive => "EXHAUSTIVE",
        Search::Heuristic => "HEURISTIC",
        Search::Default => "DEFAULT",
    };
    settings.set("cudnn_conv_algo_search", search)?;
    Ok(Settings { device: given.device, libraries: given.libraries, ..settings })
}

pub(super) fn tensorrt(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct TensorRt {
        #[serde(default)]
        device: usize,
        #[serde(default)]
        fp16: bool,
        cache: Option<PathBuf>,
        memory_limit: Option<u64>,
        libraries: Option<PathBuf>,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let given: TensorRt = parse(json)?;
    // TensorRT takes TF32 unless a builder flag forbids it, which ONNX Runtime does not pass on.
    let precision = if given.fp16 { Precision::Half } else { Precision::Tf32 };
    let mut settings = Settings::new(precision, given.more);
    settings.set("device_id", given.device)?;
    settings.set("trt_fp16_enable", bit(given.fp16))?;
    settings.set_if("trt_max_workspace_size", given.memory_limit)?;
    settings.cached("trt_engine_cache_path", given.cache)?;
    if let Some(cache) = settings.cache.clone() {
        settings.set("trt_engine_cache_enable", bit(true))?;
        settings.set("trt_timing_cache_enable", bit(true))?;
        settings.set("trt_timing_cache_path", cache.display())?;
    }
    Ok(Settings { device: given.device, libraries: given.libraries, ..settings })
}

pub(super) fn tensorrt_rtx(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct TensorRtRtx {
        #[serde(default)]
        device: usize,
        cache: Option<PathBuf>,
        memory_limit: Option<u64>,
        libraries: Option<PathBuf>,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let given: TensorRtRtx = parse(json)?;
    let mut settings = Settings::new(Precision::Tf32, given.more);
    settings.set("device_id", given.device)?;
    settings.set_if("nv_max_workspace_size", given.memory_limit)?;
    settings.cached("nv_runtime_cache_path", given.cache)?;
    Ok(Settings { device: given.device, libraries: given.libraries, ..settings })
}

/// What Core ML may use.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Units {
    #[default]
    All,
    Cpu,
    CpuAndGpu,
    CpuAndNeuralEngine,
}

pub(super) fn coreml(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct CoreMl {
        #[serde(default)]
        compute_units: Units,
        cache: Option<PathBuf>,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let given: CoreMl = parse(json)?;
    // The GPU and the Neural Engine compute in 16 bits.
    let precision = if given.compute_units == Units::Cpu { Precision::Full } else { Precision::Half };
    let mut settings = Settings::new(precision, given.more);
    settings.set("ModelFormat", "MLProgram")?;
    let units = match given.compute_units {
        Units::All => "ALL",
        Units::Cpu => "CPUOnly",
        Units::CpuAndGpu => "CPUAndGPU",
        Units::CpuAndNeuralEngine => "CPUAndNeuralEngine",
    };
    settings.set("MLComputeUnits", units)?;
    settings.cached("ModelCacheDirectory", given.cache)?;
    Ok(settings)
}

pub(super) fn xnnpack(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Xnnpack {
        threads: Option<u32>,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let given: Xnnpack = parse(json)?;
    let mut settings = Settings::new(Precision::Full, given.more);
    settings.set_if("intra_op_num_threads", given.threads)?;
    Ok(settings)
}

pub(super) fn nnapi(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nnapi {
        #[serde(default)]
        fp16: bool,
        /// Whether NNAPI's own kernels for the CPU, which are slower than ONNX Runtime's, may be used.
        #[serde(default)]
        cpu: bool,
    }
    let given: Nnapi = parse(json)?;
    // NNAPI_FLAG_USE_FP16 and NNAPI_FLAG_CPU_DISABLED of ONNX Runtime's nnapi_provider_factory.h.
    let flags = if given.fp16 { 1 } else { 0 } | if given.cpu { 0 } else { 4 };
    let precision = if given.fp16 { Precision::Half } else { Precision::Full };
    Ok(Settings { flags, ..Settings::new(precision, BTreeMap::new()) })
}

pub(super) fn directml(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct DirectMl {
        device: Option<usize>,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let given: DirectMl = parse(json)?;
    let mut settings = Settings::new(Precision::Full, given.more);
    settings.set_if("device_id", given.device)?;
    Ok(settings)
}

pub(super) fn qnn(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Qnn {
        /// File of the back end, such as QnnHtp.dll.
        backend: Option<PathBuf>,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let given: Qnn = parse(json)?;
    let mut settings = Settings::new(Precision::Half, given.more);
    settings.set_if("backend_path", given.backend.as_ref().map(|file| file.display()))?;
    Ok(settings)
}

/// What OpenVINO computes in.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Bits {
    Fp16,
    #[default]
    Fp32,
}

pub(super) fn openvino(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OpenVino {
        /// As OpenVINO names it: `CPU`, `GPU`, `GPU.1`, `NPU`.
        device: Option<String>,
        #[serde(default)]
        precision: Bits,
        cache: Option<PathBuf>,
        threads: Option<u32>,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let given: OpenVino = parse(json)?;
    let half = given.precision == Bits::Fp16;
    let device = given.device.as_deref().unwrap_or("CPU");
    if half && device == "CPU" {
        // ONNX Runtime refuses it as well, with nothing but "Failed to load provider OpenVINO".
        return Err(Error::argument(
            "OpenVINO's device \"CPU\" computes in fp32; precision \"fp16\" is for \"GPU\" and \"NPU\"",
        ));
    }
    let mut settings = Settings::new(if half { Precision::Half } else { Precision::Full }, given.more);
    settings.set("device_type", device)?;
    settings.set("precision", if half { "FP16" } else { "FP32" })?;
    settings.set_if("num_of_threads", given.threads)?;
    settings.cached("cache_dir", given.cache)?;
    Ok(settings)
}

pub(super) fn webgpu(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct WebGpu {
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let WebGpu { more } = parse(json)?;
    Ok(Settings::new(Precision::Full, more))
}

/// Of a provider that comes as a library of its own.
pub(super) fn plugin(json: &str) -> Result<Settings> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Plugin {
        #[serde(default)]
        device: usize,
        #[serde(default)]
        more: BTreeMap<String, String>,
    }
    let Plugin { device, more } = parse(json)?;
    Ok(Settings { device, ..Settings::new(Precision::Half, more) })
}
