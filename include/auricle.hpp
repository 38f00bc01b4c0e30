/* Auricle from C++17: auricle.h with objects that free themselves. Header only, no dependency but auricle.h.
 *
 * A complete program. It classifies raw 16-bit stereo at 48 kHz from its standard input, as it arrives:
 *
 *     #include <auricle.hpp>
 *     #include <algorithm>
 *     #include <cstdio>
 *     #include <vector>
 *
 *     static int fail(const auricle::Error &error)
 *     {
 *         std::fprintf(stderr, "%s: %s\n", auricle::status_text(error.status()), error.message());
 *         return 1;
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         auto model = auricle::Model::load(argc > 1 ? argv[1] : "model.onnx");
 *         if (!model)
 *             return fail(model.error());
 *         auricle::SessionOptions options;
 *         options.sample_rate = 48000;
 *         options.channels = 2;
 *         auto session = auricle::Session::create(*model, options);
 *         if (!session)
 *             return fail(session.error());
 *         std::vector<float> scores(model->class_count());
 *         std::int16_t block[480 * 2];                 // 10 ms
 *         auricle::Window window;
 *         for (;;) {
 *             const std::size_t frames = std::fread(block, 2 * sizeof *block, 480, stdin);
 *             const auricle::Status pushed = frames > 0 ? session->push(block, frames) : session->finish();
 *             if (auricle::is_error(pushed))
 *                 return fail(auricle::Error(pushed));
 *             auto read = session->read(scores, window);
 *             for (; read == auricle::Status::ok; read = session->read(scores, window)) {
 *                 const auto best = std::max_element(scores.begin(), scores.end());
 *                 const auto index = static_cast<std::size_t>(best - scores.begin());
 *                 std::printf("%7.2f s  %s %.2f\n", static_cast<double>(window.first_frame) / 48000,
 *                             model->label(index), static_cast<double>(*best));
 *             }
 *             if (!read)
 *                 return fail(read.error());
 *             if (read == auricle::Status::end)
 *                 return 0;
 *         }
 *     }
 *
 * CONTENTS, in this order
 *
 * - Statuses: Status, is_error, status_text, last_error
 * - Plain types: Span, Progress, ThreadStart, Need, Provider, Format, Clip, Overflow, Window, Event, Kind, Output, LogLevel
 * - Errors: Error, Result
 * - Handle: what Cancel, Model and Session have in common
 * - Cancel
 * - ClipOptions, ModelOptions, Model
 * - SessionOptions, Session: pushing, reading; read_many
 * - RuntimeOptions, runtime_open, set_log, version, abi_version
 *
 * CONVENTIONS. Those of auricle.h hold: words, units, ranges, threads, stack, floating point, fork, exit, signals,
 * files and environment. Every function here is one call of the C function that its text names; that text has the whole
 * list of statuses. What differs:
 *
 * Names. auricle_session_push_f32 is Session::push; AURICLE_DROP_OLDEST is Overflow::drop_oldest; members of structs have
 * the same names. One noun has another name: auricle_result is Window here, because Result is how calls fail.
 *
 * Errors. A function that can fail returns a Result: a value, or an Error with a status and the sentence of
 * auricle_last_error. With AURICLE_EXCEPTIONS defined before this header is included (on the compiler's command line, say)
 * it returns the value itself, and throws the Error, which is a std::runtime_error then. Files of one program may differ in
 * that: the two forms have names of their own (auricle::results, auricle::exceptions). Without it the header works with
 * -fno-exceptions and -fno-rtti; where the memory for a string or a vector cannot be had, such a program ends.
 * What an audio callback calls (Session::push, gap, finish) is noexcept and returns a Status in both forms.
 *
 * Handles. Cancel, Model and Session own what C calls a handle, can be moved and not copied, and free it at their end, when
 * no call may be running. One that was moved from, or made by its default constructor, is empty: its functions fail with
 * Status::invalid_argument, or give 0 or nullptr as their text says, and nothing else happens.
 *
 * Threads. A const function may run on any number of threads at once; Session says which half its functions belong to.
 *
 * Macros. None is left behind but those of auricle.h and the include guard. X11/Xlib.h defines a macro `Status`: include it
 * after this header, and undefine the macro.
 */
#ifndef AURICLE_HPP
#define AURICLE_HPP

#include <auricle.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#ifdef AURICLE_EXCEPTIONS
#  include <stdexcept>
#else
#  include <variant>
#endif

/** Sound classification: auricle.h with objects that free themselves. */
namespace auricle {

/* -------------------------------------------------------------------------------------------------
 * STATUSES
 */

/**
 * What became of a call: 0 success, positive success of another kind, negative an error. The numbers are those of
 * auricle.h. Later versions of the library may return others: treat every negative one as an error (is_error).
 */
enum class [[nodiscard]] Status : std::int32_t {
    /** Done. */
    ok = AURICLE_OK,
    /** Read: not enough audio for the next window yet. Push more, then read again. */
    again = AURICLE_AGAIN,
    /** Read: the stream was finished and everything has been read. */
    end = AURICLE_END,
    /** Push: the ring was full, and frames were lost. The clock of the stream counts them. */
    dropped = AURICLE_DROPPED,
    /** A Cancel was requested, or Session::cancel called. */
    cancelled = AURICLE_CANCELLED,
    /** An argument is missing, out of its range, or does not fit another one: a mistake in the calling program. */
    invalid_argument = AURICLE_INVALID_ARGUMENT,
    /** The call is not allowed now: push after finish, or two threads in the same half of a session. */
    invalid_state = AURICLE_INVALID_STATE,
    /** The buffer is too small; the message says how much is needed. */
    buffer_too_small = AURICLE_BUFFER_TOO_SMALL,
    /** The clip is too short for the model to see even one row of features. */
    clip_too_short = AURICLE_CLIP_TOO_SHORT,
    /** The memory that the call needs could not be had. */
    memory = AURICLE_MEMORY,
    /** A file could not be read. */
    file = AURICLE_FILE,
    /** The model is refused: it is damaged, is not ONNX, reads other files, or needs a newer ONNX Runtime. */
    model = AURICLE_MODEL,
    /** The model has no manifest, or the manifest is not valid. */
    manifest = AURICLE_MANIFEST,
    /** The manifest and the network contradict each other. */
    mismatch = AURICLE_MISMATCH,
    /** ONNX Runtime was not found, could not be opened, or is too old. */
    runtime = AURICLE_RUNTIME,
    /** ONNX Runtime failed while running the network, or the network gave a score that is not finite. */
    inference = AURICLE_INFERENCE,
    /** A required provider cannot be had or does not run the network, or one has failed while it ran. */
    provider = AURICLE_PROVIDER,
    /** A defect of Auricle, caught: please report the message. */
    internal = AURICLE_INTERNAL
};

/** Whether a status is an error: a negative number. Any thread. */
constexpr bool is_error(Status status) noexcept
{
    return static_cast<std::int32_t>(status) < 0;
}

/** What kind of outcome a status is, in a few words, for any number. Static. Any thread. auricle_status_text. */
inline const char *status_text(Status status) noexcept
{
    return auricle_status_text(static_cast<std::int32_t>(status));
}

/**
 * What went wrong in the latest call of the library on this thread that failed, with the numbers that fix it. For the
 * functions that return a Status; an Error has its own copy. Borrowed: valid until the next failure on this thread.
 * auricle_last_error.
 */
inline const char *last_error() noexcept
{
    return auricle_last_error();
}

/* -------------------------------------------------------------------------------------------------
 * PLAIN TYPES
 *
 * The same in both forms of errors.
 */

/**
 * A pointer and a count, borrowed for a call: made from either of them, an array, a std::vector, a std::array, a std::span
 * or whatever else has data() and size(). It is the same in all versions of the language, so that files of one program may
 * differ in that.
 */
template <class T> class Span {
public:
    /** Nothing. */
    constexpr Span() noexcept = default;
    /** `size` values at `data`; nullptr goes with 0 only. */
    constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    /** The values of a container. */
    template <class Container,
              class = std::enable_if_t<std::is_convertible_v<
                  std::remove_pointer_t<decltype(std::data(std::declval<Container &>()))> (*)[], T (*)[]>>>
    constexpr Span(Container &&container) noexcept : data_(std::data(container)), size_(std::size(container))
    {
    }

    /** The first value. */
    constexpr T *data() const noexcept { return data_; }
    /** How many there are. */
    constexpr std::size_t size() const noexcept { return size_; }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

/**
 * Is told how far a load has come: a borrowed `bool function(const char *stage, float done)`, an object with a noexcept call
 * operator (a lambda, say), which says whether the load is to stop. `stage` is "read", "prepare" (minutes, where a provider
 * builds engines), "warm" or "self_check"; `done` is how much of it is done, 0 to 1. It is called on the thread that loads,
 * during the load, and has to live that long.
 */
class Progress {
public:
    /** Nobody is told. */
    constexpr Progress() noexcept = default;
    /** This object is told. It may be no temporary one. */
    template <class Function, class = std::enable_if_t<!std::is_same_v<std::remove_const_t<Function>, Progress>>>
    Progress(Function &function) noexcept
        : call_([](void *user, const char *stage, float done) -> std::int32_t {
              return (*static_cast<Function *>(user))(stage, done) ? 1 : 0;
          }),
          user_(const_cast<std::remove_const_t<Function> *>(std::addressof(function)))
    {
        static_assert(std::is_object_v<Function>, "give an object, a lambda for example");
        static_assert(std::is_nothrow_invocable_r_v<bool, Function &, const char *, float>,
                      "progress takes (const char *, float), returns whether to stop, and is noexcept: no exception may cross C");
    }

    /** What C calls. */
    constexpr auricle_progress_fn call() const noexcept { return call_; }
    /** With this. */
    constexpr void *user() const noexcept { return user_; }

private:
    auricle_progress_fn call_ = nullptr;
    void *user_ = nullptr;
};

/**
 * Is told of each thread that ONNX Runtime starts: a borrowed `void function()`, an object with a noexcept call operator (a
 * lambda, say). It is called on the new thread, before anything else, by several at once, to give it a priority, cores or a
 * name; it may call nothing of Auricle. It stays set for the life of the process: make it static.
 */
class ThreadStart {
public:
    /** Nobody is told. */
    constexpr ThreadStart() noexcept = default;
    /** This object is told. It may be no temporary one. */
    template <class Function, class = std::enable_if_t<!std::is_same_v<std::remove_const_t<Function>, ThreadStart>>>
    ThreadStart(Function &function) noexcept
        : call_([](void *user) { (*static_cast<Function *>(user))(); }),
          user_(const_cast<std::remove_const_t<Function> *>(std::addressof(function)))
    {
        static_assert(std::is_object_v<Function>, "give an object, a lambda for example");
        static_assert(std::is_nothrow_invocable_v<Function &>,
                      "what is told of threads takes nothing and is noexcept: no exception may cross C");
    }

    /** What C calls. */
    constexpr auricle_thread_fn call() const noexcept { return call_; }
    /** With this. */
    constexpr void *user() const noexcept { return user_; }

private:
    auricle_thread_fn call_ = nullptr;
    void *user_ = nullptr;
};

/** What happens where a provider cannot run the network. */
enum class Need : std::int32_t {
    /** The load fails; also where a part of the network would run on the CPU instead, unless "cpu" is in the list too. */
    required = AURICLE_REQUIRED,
    /** The others in the list do, in the end the CPU. Model::describe says what became of it. */
    preferred = AURICLE_PREFERRED
};

/** A provider of ONNX Runtime that a model is to run on: auricle_provider. */
struct Provider {
    /** "cpu", "cuda" and so on, as docs/providers.md has them, or the path of a plug-in provider's library. UTF-8. */
    const char *name = nullptr;
    /** What happens where it cannot run the network. */
    Need need = Need::required;
    /** Its options, a JSON object; nullptr: the defaults. */
    const char *options_json = nullptr;
};

/** How a sample is stored. */
enum class Format : std::int32_t {
    /** Unsigned 8 bit, 128 is silence. */
    u8 = AURICLE_U8,
    /** Signed 16 bit. */
    i16 = AURICLE_I16,
    /** Signed 24 bit, packed into 3 bytes, little-endian. */
    i24 = AURICLE_I24,
    /** Signed 32 bit. */
    i32 = AURICLE_I32,
    /** Float, full scale 1.0. */
    f32 = AURICLE_F32,
    /** Double, full scale 1.0. */
    f64 = AURICLE_F64
};

/** A recording in memory, for Model::classify: a view, which owns no samples. 1 to 8 channels, 1000 to 384000 Hz. */
class Clip {
public:
    /** `frames` frames of interleaved samples of any format, which need no alignment. */
    constexpr Clip(Format format, const void *interleaved, std::size_t frames, std::uint32_t channels,
                   std::uint32_t sample_rate) noexcept
        : format_(format), data_(interleaved), frames_(frames), channels_(channels), sample_rate_(sample_rate)
    {
    }
    /** `frames` frames of interleaved floats, full scale 1.0. */
    constexpr Clip(const float *interleaved, std::size_t frames, std::uint32_t channels, std::uint32_t sample_rate) noexcept
        : Clip(Format::f32, interleaved, frames, channels, sample_rate)
    {
    }
    /** Interleaved floats, full scale 1.0. A number of them that is no multiple of `channels` is refused by classify. */
    constexpr Clip(Span<const float> interleaved, std::uint32_t channels, std::uint32_t sample_rate) noexcept
        : Clip(Format::f32, interleaved.data(), channels ? interleaved.size() / channels : 0, channels, sample_rate)
    {
        rest_ = channels ? interleaved.size() % channels : 0;
    }

    /** How its samples are stored. */
    constexpr Format format() const noexcept { return format_; }
    /** Its samples, interleaved. */
    constexpr const void *data() const noexcept { return data_; }
    /** How many frames it has. */
    constexpr std::size_t frames() const noexcept { return frames_; }
    /** How many samples lie behind its last frame: 0, or it is refused. */
    constexpr std::size_t rest() const noexcept { return rest_; }
    /** How many channels it has. */
    constexpr std::uint32_t channels() const noexcept { return channels_; }
    /** Its rate, Hz. */
    constexpr std::uint32_t sample_rate() const noexcept { return sample_rate_; }

private:
    Format format_;
    const void *data_;
    std::size_t frames_;
    std::size_t rest_ = 0;
    std::uint32_t channels_;
    std::uint32_t sample_rate_;
};

/** What is lost when the ring of a session is full. */
enum class Overflow : std::int32_t {
    /** The default of the library: the newest. */
    standard = 0,
    /** The frames pushed last. */
    drop_newest = AURICLE_DROP_NEWEST,
    /** The frames that have waited longest. */
    drop_oldest = AURICLE_DROP_OLDEST
};

/**
 * Where a window lies in the stream, and what state its audio is in: auricle_result. Frames are the program's, as it pushed
 * them, counted from 0; the delays of conversion and features are taken out.
 */
struct Window {
    /** Whether the RMS is below -80 dBFS. */
    bool silent = false;
    /** First frame of the window. */
    std::uint64_t first_frame = 0;
    /** One past its last frame. */
    std::uint64_t end_frame = 0;
    /** Number of the window on the grid of hops. A window that lies wholly in a gap is left out, its number too. */
    std::uint64_t sequence = 0;
    /** Highest absolute sample over all channels, dBFS; minus infinity for digital silence. */
    float peak_dbfs = 0;
    /** Root mean square of the mono signal, dBFS; minus infinity for digital silence. */
    float rms_dbfs = 0;
    /** Mean of the mono signal, full scale 1.0. Far from 0 means a faulty source. */
    float dc_offset = 0;
    /** Whether the inference took longer than a hop: the machine cannot keep up with the stream. */
    bool late = false;
    /** Frames with a sample at full scale: the source was too loud. */
    std::uint64_t clipped_frames = 0;
    /** Frames with a sample that was NaN, infinite or absurd, and was taken as 0. */
    std::uint64_t non_finite_frames = 0;
    /** Frames of the window lost because the ring was full (Status::dropped). They were taken as silence. */
    std::uint64_t dropped_frames = 0;
    /** Frames of the window that lie in gaps (Session::gap). They were taken as silence. */
    std::uint64_t gap_frames = 0;
    /** How long ONNX Runtime took, nanoseconds. */
    std::uint64_t inference_nanoseconds = 0;
    /** Estimate of the steady noise of the last 5 seconds, dBFS; minus infinity for digital silence. */
    float noise_floor_dbfs = 0;
    /** Power of the window above the noise floor, to the noise floor, dB; minus infinity if nothing is above it. */
    float snr_db = 0;
};

/**
 * A sound from its onset to its offset: auricle_event. It is reported twice with the same id: provisional as soon as its
 * class is on for long enough, and final once it is over. Frames are the program's.
 */
struct Event {
    /** Whether the event is over and will not change any more. */
    bool is_final = false;
    /** Number of the event in its stream, from 1. */
    std::uint64_t id = 0;
    /** Index of the class: Model::label. */
    std::uint64_t class_index = 0;
    /** First frame of the sound, to about a hop. */
    std::uint64_t onset_frame = 0;
    /** One past its last frame, to about a hop; of a provisional event, how far it has been heard. */
    std::uint64_t offset_frame = 0;
    /** End of the window that decided it. */
    std::uint64_t decided_frame = 0;
    /** Highest score of its windows. */
    float peak_score = 0;
    /** Mean score of its windows. */
    float mean_score = 0;
    /** Events that were given up just before this one, because 256 of them waited. */
    std::uint64_t lost_before = 0;
};

/** What kind of values an output has. */
enum class Kind : std::int32_t {
    /** A score for each of its classes. */
    scores = AURICLE_SCORES,
    /** A vector: sounds that are alike have vectors that are. */
    embedding = AURICLE_EMBEDDING,
    /** Other numbers. */
    values = AURICLE_VALUES
};

/** What an output of a model is: auricle_output. */
struct Output {
    /** What kind of values it has. */
    Kind kind = Kind::scores;
    /** Values that it has for each result: of scores the number of classes. */
    std::uint64_t size = 0;
    /** From one result to the next, seconds, if the network answers for many moments of a window; else 0. */
    double hop_seconds = 0;
};

/** How important a message is. */
enum class LogLevel : std::int32_t {
    /** Something did not work. */
    error = AURICLE_LOG_ERROR,
    /** It works, but not as it should. */
    warning = AURICLE_LOG_WARNING,
    /** What was opened and loaded. */
    info = AURICLE_LOG_INFO,
    /** Details. */
    debug = AURICLE_LOG_DEBUG
};

/* -------------------------------------------------------------------------------------------------
 * ERRORS
 *
 * One of two forms: with AURICLE_EXCEPTIONS exceptions, else results.
 */

#ifdef AURICLE_EXCEPTIONS
inline namespace exceptions {

/** Why a call failed. */
class Error : public std::runtime_error {
public:
    /** An error with the sentence of last_error(), for a Status that a noexcept function returned just now. */
    explicit Error(Status status) : Error(status, auricle::last_error()) {}
    /** An error with a sentence of its own. */
    Error(Status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    /** What kind of error it is: a negative number, or Status::cancelled. */
    Status status() const noexcept { return status_; }
    /** A sentence for a person, with the numbers that fix it. UTF-8, one line. As what(). */
    const char *message() const noexcept { return what(); }

private:
    Status status_;
};

/** What a function that can fail returns: with AURICLE_EXCEPTIONS, its value. */
template <class T> using Result = T;

namespace detail {
template <class T> Result<T> fail(Status status, const std::string &message)
{
    throw Error(status, message);
}
inline void done() noexcept {}
} // namespace detail

#else
inline namespace results {

/** Why a call failed. */
class Error {
public:
    /** An error with the sentence of last_error(), for a Status that a noexcept function returned just now. */
    explicit Error(Status status) : Error(status, auricle::last_error()) {}
    /** An error with a sentence of its own. */
    Error(Status status, std::string message) : status_(status), message_(std::move(message)) {}
    /** What kind of error it is: a negative number, or Status::cancelled. */
    Status status() const noexcept { return status_; }
    /** A sentence for a person, with the numbers that fix it. UTF-8, one line. Valid as long as this object. */
    const char *message() const noexcept { return message_.c_str(); }

private:
    Status status_;
    std::string message_;
};

/**
 * What a function that can fail returns: a value or an Error. Ask first: to take the value where there is none, or the
 * error where there is none, ends the program (std::abort).
 */
template <class T> class [[nodiscard]] Result {
public:
    /** Success. */
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    /** Failure. */
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    /** Whether there is a value. */
    explicit operator bool() const noexcept { return state_.index() == 0; }
    /** The value. */
    T &operator*() & noexcept { return *found<0>(state_); }
    /** The value. */
    const T &operator*() const & noexcept { return *found<0>(state_); }
    /** The value, to be moved out. */
    T &&operator*() && noexcept { return std::move(*found<0>(state_)); }
    /** A member of the value. */
    T *operator->() noexcept { return found<0>(state_); }
    /** A member of the value. */
    const T *operator->() const noexcept { return found<0>(state_); }
    /** The error. */
    const Error &error() const noexcept { return *found<1>(state_); }

    /** Whether there is a value, and it is this one. */
    friend bool operator==(const Result &result, const T &value) { return result && *result == value; }
    /** Whether there is an error, or another value. */
    friend bool operator!=(const Result &result, const T &value) { return !(result == value); }

private:
    template <std::size_t Index, class State> static auto *found(State &state) noexcept
    {
        auto *held = std::get_if<Index>(&state);
        if (!held)
            std::abort();
        return held;
    }

    std::variant<T, Error> state_;
};

/** What a function that can fail and gives no value returns. */
template <> class [[nodiscard]] Result<void> {
public:
    /** Success. */
    Result() noexcept = default;
    /** Failure. */
    Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}

    /** Whether it succeeded. */
    explicit operator bool() const noexcept { return !error_; }
    /** The error; where there is none, the program ends (std::abort). */
    const Error &error() const noexcept
    {
        if (!error_)
            std::abort();
        return *error_;
    }

private:
    std::unique_ptr<Error> error_;
};

namespace detail {
template <class T> Result<T> fail(Status status, std::string message)
{
    return Error(status, std::move(message));
}
inline Result<void> done() noexcept
{
    return {};
}
} // namespace detail
#endif

namespace detail {

/* The status of a call, or its error. */
inline Result<Status> checked(auricle_status status)
{
    const auto known = static_cast<Status>(status);
    if (is_error(known))
        return fail<Status>(known, last_error());
    return known;
}

/* A call that has but one kind of success. AURICLE_CANCELLED is its failure: there is no value. */
template <class T, class Made> Result<T> made(auricle_status status, Made make)
{
    if (status != AURICLE_OK)
        return fail<T>(static_cast<Status>(status), last_error());
    return make();
}

/* The frees of C, for std::unique_ptr. */
struct Free {
    void operator()(auricle_cancel *handle) const noexcept { auricle_cancel_free(handle); }
    void operator()(auricle_model *handle) const noexcept { auricle_model_free(handle); }
    void operator()(auricle_session *handle) const noexcept { auricle_session_free(handle); }
};

} // namespace detail

/* -------------------------------------------------------------------------------------------------
 * HANDLES
 */

/** What Cancel, Model and Session have in common: they own a handle of auricle.h, `T`. */
template <class T> class Handle {
public:
    /** Empty. */
    Handle() noexcept = default;
    /** Takes a handle that C made; it is freed with this object. */
    explicit Handle(T *handle) noexcept : handle_(handle) {}
    /** Whether there is a handle. */
    explicit operator bool() const noexcept { return handle_ != nullptr; }
    /** The handle, for functions of auricle.h; it stays owned by this object. */
    T *get() const noexcept { return handle_.get(); }
    /** Gives the handle away: who takes it calls its _free function. */
    T *release() noexcept { return handle_.release(); }

private:
    std::unique_ptr<T, detail::Free> handle_;
};

/* -------------------------------------------------------------------------------------------------
 * CANCELLING
 */

/** A switch that stops work from another thread: loading a model, its self-check, classifying a clip. */
class Cancel : public Handle<auricle_cancel> {
public:
    using Handle::Handle;

    /** Makes a switch that is off. Any thread. auricle_cancel_create. */
    static Result<Cancel> create()
    {
        auricle_cancel *cancel = nullptr;
        return detail::made<Cancel>(auricle_cancel_create(&cancel), [&] { return Cancel(cancel); });
    }

    /**
     * Calls that were given this switch fail with Status::cancelled as soon as the kernel of the network that is running
     * ends; calls that are given it later fail at once. It stays on. An empty one does nothing.
     *
     * Any thread but the audio thread: it locks. auricle_cancel_request.
     */
    void request() const noexcept { (void)auricle_cancel_request(get()); }
};

/* -------------------------------------------------------------------------------------------------
 * MODELS AND WHOLE CLIPS
 */

/** How a clip is looked at: auricle_clip_options. What is left alone has the default. */
struct ClipOptions {
    /** The channel that is heard, counted from 1; 0: the mean of all. */
    std::uint32_t channel = 0;
    /** Distance between windows, seconds, one sample of the model to 3600; 0: the manifest's. */
    double hop_seconds = 0;
    /** Stops the call from another thread; nullptr: nothing does. */
    const Cancel *cancel = nullptr;
    /** The output that the call gives the mean of (Model::output); 0: the first. */
    std::uint32_t output = 0;
};

/** How a model is loaded: auricle_model_options. What is left alone has the default. */
struct ModelOptions {
    /** Threads that ONNX Runtime uses inside one inference, 1 to 256, the calling one among them; 0: 1. */
    std::uint32_t threads = 0;
    /** Whether the manifest's golden cases are run, and a model that does not reproduce them, or has none, is refused. */
    bool self_check = false;
    /**
     * Windows of several sessions that read_many may put into one run, 1 to 1024; 0: 1. More than 1 needs a network whose
     * first axis is the batch, of any size.
     */
    std::uint32_t max_batch = 0;
    /** Stops loading, and the self-check in it, from another thread; nullptr: nothing does. */
    const Cancel *cancel = nullptr;
    /** Providers that are to run the network, the first before the others; none: the CPU. Borrowed for the load. */
    Span<const Provider> providers;
    /** Is told how far the load has come, and may stop it. */
    Progress progress;
    /** Whether the network runs on the pool of threads of RuntimeOptions, beside other models; `threads` is 0 then. */
    bool shared_pool = false;
};

/** How ONNX Runtime is opened: auricle_runtime_options. What is left alone has the default. */
struct RuntimeOptions {
    /** Threads of one pool for all models that are loaded with shared_pool, 1 to 256, the calling one among them; 0: none. */
    std::uint32_t shared_threads = 0;
    /** Whether a library file is refused that is not one of the official releases that Auricle knows. */
    bool known_only = false;
    /** Is told of each thread that ONNX Runtime starts. */
    ThreadStart thread_start;
};

namespace detail {

inline auricle_clip_options to_c(const ClipOptions &from) noexcept
{
    auricle_clip_options to;
    auricle_clip_options_init(&to);
    to.channel = from.channel;
    to.hop_seconds = from.hop_seconds;
    to.cancel = from.cancel ? from.cancel->get() : nullptr;
    to.output = from.output;
    return to;
}

/* Options of C, and the list that they point into. */
struct LoadOptions {
    std::vector<auricle_provider> providers;
    auricle_model_options options;
};

inline LoadOptions to_c(const ModelOptions &from)
{
    LoadOptions to;
    for (std::size_t k = 0; k < from.providers.size(); k++) {
        const Provider &provider = from.providers.data()[k];
        to.providers.emplace_back();
        auricle_provider_init(&to.providers.back());
        to.providers.back().name = provider.name;
        to.providers.back().need = static_cast<std::int32_t>(provider.need);
        to.providers.back().options_json = provider.options_json;
    }
    auricle_model_options_init(&to.options);
    to.options.threads = from.threads;
    to.options.self_check = from.self_check;
    to.options.max_batch = from.max_batch;
    to.options.cancel = from.cancel ? from.cancel->get() : nullptr;
    to.options.providers = to.providers.data();
    to.options.provider_count = to.providers.size();
    to.options.progress = from.progress.call();
    to.options.user = from.progress.user();
    to.options.shared_pool = from.shared_pool;
    return to;
}

inline auricle_runtime_options to_c(const RuntimeOptions &from) noexcept
{
    auricle_runtime_options to;
    auricle_runtime_options_init(&to);
    to.shared_threads = from.shared_threads;
    to.known_only = from.known_only;
    to.thread_start = from.thread_start.call();
    to.user = from.thread_start.user();
    return to;
}

inline Output from_c(const auricle_output &from) noexcept
{
    Output to;
    to.kind = static_cast<Kind>(from.kind);
    to.size = from.size;
    to.hop_seconds = from.hop_seconds;
    return to;
}

/* Why samples cannot be cut into frames. */
inline std::string odd_samples(std::size_t samples, std::uint32_t channels)
{
    return "interleaved has " + std::to_string(samples) + " samples, which " + std::to_string(channels)
         + " channels do not divide";
}

} // namespace detail

/**
 * A network and its manifest. It never changes, so one model serves any number of sessions and threads: all functions but
 * moving it may run on any number of threads at once.
 */
class Model : public Handle<auricle_model> {
public:
    using Handle::Handle;

    /**
     * Loads an ONNX file, with the manifest that is embedded in it or lies beside it. Opens ONNX Runtime if that has not
     * happened (runtime_open). `path` is UTF-8 (on Unix any bytes) and may be relative.
     *
     * Any thread. Takes from milliseconds to seconds; minutes, where a provider builds an engine. auricle_model_load.
     */
    static Result<Model> load(const char *path, const ModelOptions &options = {})
    {
        auricle_model *model = nullptr;
        const auto c = detail::to_c(options);
        return detail::made<Model>(auricle_model_load(path, &c.options, &model), [&] { return Model(model); });
    }

    /** As above; a path with a NUL in it is Status::invalid_argument. Takes a std::filesystem::path too, on Unix. */
    static Result<Model> load(const std::string &path, const ModelOptions &options = {})
    {
        const auto nul = path.find('\0');
        if (nul != std::string::npos)
            return detail::fail<Model>(Status::invalid_argument,
                                       "path has a NUL at byte " + std::to_string(nul) + ", where C would end it");
        return load(path.c_str(), options);
    }

    /**
     * Loads a model from memory: the `size` bytes of an ONNX file at `onnx`, and the manifest's JSON, UTF-8, which replaces
     * an embedded one; nullptr uses the embedded one. All of it can go afterwards.
     *
     * Any thread. Takes from milliseconds to seconds. auricle_model_load_memory.
     */
    static Result<Model> load_memory(const void *onnx, std::size_t size, const char *manifest = nullptr,
                                     const ModelOptions &options = {})
    {
        auricle_model *model = nullptr;
        const auto c = detail::to_c(options);
        return detail::made<Model>(auricle_model_load_memory(onnx, size, manifest, &c.options, &model),
                                   [&] { return Model(model); });
    }

    /**
     * Number of classes, which is the number of scores of every window; if the first output has no labels, the number of
     * its values. 0 if empty. auricle_model_class_count.
     */
    std::size_t class_count() const noexcept { return auricle_model_class_count(get()); }

    /**
     * Label of class `index`, in the order of the scores. UTF-8, valid as long as the model. nullptr if the model is empty, or
     * `index` is not below the number of labels; last_error() says which. auricle_model_label.
     */
    const char *label(std::size_t index) const noexcept { return auricle_model_label(get(), index); }

    /** Rate that the model works at, Hz; 0 if empty. Audio of this rate saves the conversion. auricle_model_sample_rate. */
    std::uint32_t sample_rate() const noexcept { return auricle_model_sample_rate(get()); }

    /** Number of outputs, at least 1; 0 if empty. The first is what reads and classify give. auricle_model_output_count. */
    std::size_t output_count() const noexcept { return auricle_model_output_count(get()); }

    /** What output `index` is; Status::invalid_argument if it is not below output_count(). auricle_model_output. */
    Result<Output> output(std::size_t index) const
    {
        auricle_output output;
        auricle_output_init(&output);
        return detail::made<Output>(auricle_model_output(get(), index, &output), [&] { return detail::from_c(output); });
    }

    /**
     * Name of output `index`: the manifest's, else the tensor's. UTF-8, valid as long as the model. nullptr if the model is
     * empty or `index` is not below output_count(); last_error() says which. auricle_model_output_name.
     */
    const char *output_name(std::size_t index) const noexcept { return auricle_model_output_name(get(), index); }

    /**
     * Label of class `k` of output `index`, which has scores. UTF-8, valid as long as the model. nullptr if there is none;
     * last_error() says why. auricle_model_output_label.
     */
    const char *output_label(std::size_t index, std::size_t k) const noexcept
    {
        return auricle_model_output_label(get(), index, k);
    }

    /**
     * The record for traceability: JSON, UTF-8, with versions, files, SHA-256 sums, options, and the manifest with every
     * default filled in. auricle_model_describe.
     */
    Result<std::string> describe() const
    {
        std::size_t needed = 0;
        auricle_status status = auricle_model_describe(get(), nullptr, 0, &needed);
        std::string json(status == AURICLE_OK ? needed : 0, '\0');
        if (status == AURICLE_OK)
            status = auricle_model_describe(get(), json.data(), json.size(), &needed);
        return detail::made<std::string>(status, [&] {
            json.pop_back(); /* the NUL at its end, which a string has anyway */
            return Result<std::string>(std::move(json));
        });
    }

    /**
     * Scores of one whole clip: the mean of the scores of its windows, which lie the manifest's hop apart. A clip shorter
     * than a window is padded as the manifest says. `scores` takes one value for each class, or those of the output that
     * the options name; what lies behind them is not touched. auricle_classify.
     */
    Result<void> classify(const Clip &clip, Span<float> scores, const ClipOptions &options = {}) const
    {
        if (clip.rest() > 0)
            return detail::fail<void>(Status::invalid_argument,
                                      detail::odd_samples(clip.frames() * clip.channels() + clip.rest(), clip.channels()));
        const auto c = detail::to_c(options);
        const auricle_status status =
            auricle_classify(get(), static_cast<std::int32_t>(clip.format()), clip.data(), clip.frames(), clip.channels(),
                             clip.sample_rate(), &c, scores.data(), scores.size());
        return detail::made<void>(status, detail::done);
    }

    /** As above, with a vector of its own, as long as the output. */
    Result<std::vector<float>> classify(const Clip &clip, const ClipOptions &options = {}) const
    {
        auricle_output output;
        auricle_output_init(&output);
        const auricle_status status = auricle_model_output(get(), options.output, &output);
        if (status != AURICLE_OK)
            return detail::fail<std::vector<float>>(static_cast<Status>(status), last_error());
        std::vector<float> scores(static_cast<std::size_t>(output.size));
#ifdef AURICLE_EXCEPTIONS
        classify(clip, scores, options);
#else
        const auto done = classify(clip, scores, options);
        if (!done)
            return done.error();
#endif
        return scores;
    }
};

/* -------------------------------------------------------------------------------------------------
 * SESSIONS
 */

/** How a session is set up: auricle_session_options. What is left alone has the default. */
struct SessionOptions {
    /** Rate of the audio that will be pushed, Hz; 1000 to 384000; 0: the model's. */
    std::uint32_t sample_rate = 0;
    /** Channels of that audio, 1 to 8; 0: 1. */
    std::uint32_t channels = 0;
    /** After so many windows in a row a read gives Status::again although more is waiting; 0: no limit. */
    std::uint32_t max_windows_per_read = 0;
    /** Distance between windows, seconds, one sample of the model to 3600; 0: that of stream_json, else the manifest's. */
    double hop_seconds = 0;
    /** How much audio can wait between push and read, seconds, one frame to 600; 0: 2. */
    double ring_seconds = 0;
    /** What is lost when the ring is full. */
    Overflow overflow = Overflow::standard;
    /** The channel that is heard, counted from 1; 0: the mean of all. */
    std::uint32_t channel = 0;
    /**
     * Smoothing and events of this stream, JSON, in place of the `stream` object of the model's manifest, for example
     * `{ "smoothing_seconds": 0.5, "events": { "on": 0.6 } }`. nullptr: the manifest's. It is copied.
     */
    const char *stream_json = nullptr;
};

namespace detail {

inline auricle_session_options to_c(const SessionOptions &from) noexcept
{
    auricle_session_options to;
    auricle_session_options_init(&to);
    to.sample_rate = from.sample_rate;
    to.channels = from.channels;
    to.max_windows_per_read = from.max_windows_per_read;
    to.hop_seconds = from.hop_seconds;
    to.ring_seconds = from.ring_seconds;
    to.overflow = static_cast<std::int32_t>(from.overflow);
    to.channel = from.channel;
    to.stream_json = from.stream_json;
    return to;
}

/* A timeout as C has it. */
inline std::uint32_t to_c(std::chrono::milliseconds timeout) noexcept
{
    const auto most = static_cast<std::chrono::milliseconds::rep>(UINT32_MAX);
    return static_cast<std::uint32_t>(timeout.count() < 0 ? 0 : timeout.count() > most ? most : timeout.count());
}

inline Window from_c(const auricle_result &from) noexcept
{
    Window to;
    to.silent = from.silent != 0;
    to.first_frame = from.first_frame;
    to.end_frame = from.end_frame;
    to.sequence = from.sequence;
    to.peak_dbfs = from.peak_dbfs;
    to.rms_dbfs = from.rms_dbfs;
    to.dc_offset = from.dc_offset;
    to.late = from.late != 0;
    to.clipped_frames = from.clipped_frames;
    to.non_finite_frames = from.non_finite_frames;
    to.dropped_frames = from.dropped_frames;
    to.gap_frames = from.gap_frames;
    to.inference_nanoseconds = from.inference_nanoseconds;
    to.noise_floor_dbfs = from.noise_floor_dbfs;
    to.snr_db = from.snr_db;
    return to;
}

inline Event from_c(const auricle_event &from) noexcept
{
    Event to;
    to.is_final = from.is_final != 0;
    to.id = from.id;
    to.class_index = from.class_index;
    to.onset_frame = from.onset_frame;
    to.offset_frame = from.offset_frame;
    to.decided_frame = from.decided_frame;
    to.peak_score = from.peak_score;
    to.mean_score = from.mean_score;
    to.lost_before = from.lost_before;
    return to;
}

} // namespace detail

/**
 * One audio stream. Push into it as audio arrives, in pieces of any size; read until Status::again. At the end of the
 * stream finish it, and read until Status::end. How the audio is cut into pieces never changes a score.
 *
 * It has two halves: one thread may push (and call gap and finish) while another one reads (and calls read_event and
 * wait); pending and cancel are for any thread. A program with one thread simply pushes, then reads. It keeps what it needs
 * of its model, which may go first.
 */
class Session : public Handle<auricle_session> {
public:
    /** Empty: for members that get their session later. */
    Session() noexcept = default;
    /** Takes a handle that C made, of a session with so many channels; it is freed with this object. */
    Session(auricle_session *handle, std::uint32_t channels) noexcept : Handle(handle), channels_(channels) {}

    /** Starts a stream. All memory is taken here. Any thread. auricle_session_create. */
    static Result<Session> create(const Model &model, const SessionOptions &options = {})
    {
        auricle_session *session = nullptr;
        const auto c = detail::to_c(options);
        return detail::made<Session>(auricle_session_create(model.get(), &c, &session),
                                     [&] { return Session(session, options.channels ? options.channels : 1); });
    }

    /** Channels of the audio that is pushed. */
    std::uint32_t channels() const noexcept { return channels_; }

    /**
     * Pushes `frames` frames of interleaved floats, full scale 1.0. Samples that are NaN or infinite are taken as 0 and
     * counted in the window. For audio callbacks:
     *
     * The pushing thread. Never blocks, locks or allocates. Status::ok; Status::dropped if the ring is full, and the stream
     * goes on; or an error, whose text is last_error(). auricle_session_push_f32.
     */
    Status push(const float *interleaved, std::size_t frames) noexcept
    {
        return static_cast<Status>(auricle_session_push_f32(get(), interleaved, frames));
    }

    /** Pushes `frames` frames of interleaved 16-bit samples; otherwise as above. auricle_session_push_i16. */
    Status push(const std::int16_t *interleaved, std::size_t frames) noexcept
    {
        return static_cast<Status>(auricle_session_push_i16(get(), interleaved, frames));
    }

    /** Pushes `frames` frames of any format, which need no alignment; otherwise as above. auricle_session_push_bytes. */
    Status push_bytes(Format format, const void *interleaved, std::size_t frames) noexcept
    {
        return static_cast<Status>(
            auricle_session_push_bytes(get(), static_cast<std::int32_t>(format), interleaved, frames));
    }

    /**
     * Pushes `frames` frames of floats that lie in one array for each channel: `channels` has as many pointers as the
     * session has channels; otherwise as above. auricle_session_push_planar_f32.
     */
    Status push_planar(const float *const *channels, std::size_t frames) noexcept
    {
        return static_cast<Status>(auricle_session_push_planar_f32(get(), channels, frames));
    }

    /** Pushes `frames` frames of any format, one array for each channel. auricle_session_push_planar_bytes. */
    Status push_planar_bytes(Format format, const void *const *channels, std::size_t frames) noexcept
    {
        return static_cast<Status>(
            auricle_session_push_planar_bytes(get(), static_cast<std::int32_t>(format), channels, frames));
    }

    /**
     * Pushes interleaved floats that lie in a container. As above, but what is wrong is an Error; a number of samples that
     * is no multiple of channels() is Status::invalid_argument, and nothing is taken.
     */
    Result<Status> push(Span<const float> interleaved) { return push_span(interleaved); }

    /** Pushes interleaved 16-bit samples that lie in a container. */
    Result<Status> push(Span<const std::int16_t> interleaved) { return push_span(interleaved); }

    /**
     * Says that the source lost `lost_frames` frames here. The clock of the stream goes on by as many, silence stands in for
     * them, and Window::gap_frames counts them. The pushing thread. Never blocks, locks or allocates. auricle_session_gap.
     */
    Status gap(std::uint64_t lost_frames) noexcept { return static_cast<Status>(auricle_session_gap(get(), lost_frames)); }

    /**
     * Says that no more input comes: reads go on to the end of the audio, then give Status::end. Finishing twice is fine.
     * The pushing thread. Never blocks, locks or allocates. auricle_session_finish.
     */
    Status finish() noexcept { return static_cast<Status>(auricle_session_finish(get())); }

    /**
     * Does the work that is due (conversion, features, inference) and gives the next window's scores. Call it until it
     * gives something else than Status::ok. `scores` has room for one value for each class, or is empty where only events
     * are wanted. `scores` and `window` are written with Status::ok only.
     *
     * The reading thread. Takes as long as an inference when a window is due. Status::ok, again, end or cancelled.
     * auricle_session_read.
     */
    Result<Status> read(Span<float> scores, Window &window)
    {
        auricle_result result;
        auricle_result_init(&result);
        const auricle_status status = auricle_session_read(get(), scores.data(), scores.size(), &result);
        if (status == AURICLE_OK)
            window = detail::from_c(result);
        return detail::checked(status);
    }

    /**
     * Gives the next event that the windows read so far have made. Call it, after reading, until it gives something else
     * than Status::ok. `event` is written with Status::ok only.
     *
     * The reading thread. Short. Status::ok or again; Status::invalid_state where neither the manifest nor stream_json has
     * `events`. auricle_session_read_event.
     */
    Result<Status> read_event(Event &event)
    {
        auricle_event found;
        auricle_event_init(&found);
        const auricle_status status = auricle_session_read_event(get(), &found);
        if (status == AURICLE_OK)
            event = detail::from_c(found);
        return detail::checked(status);
    }

    /**
     * Writes the values of output `index` for the result that the last read gave, and gives their number, which
     * Model::output says before. The first output is smoothed if the stream is; others are as the network gives them.
     *
     * The reading thread, before it reads or waits again; else Status::invalid_state. Short. auricle_session_output.
     */
    Result<std::size_t> output(std::size_t index, Span<float> values)
    {
        std::size_t count = 0;
        const auricle_status status = auricle_session_output(get(), index, values.data(), values.size(), &count);
        return detail::made<std::size_t>(status, [&] { return count; });
    }

    /**
     * Waits until a read has something to give, for at most `timeout` (a negative one is 0, one above 49 days 49 days). The
     * reading thread. Status::ok: read now; again: nothing came in that time; cancelled. auricle_session_wait.
     */
    Result<Status> wait(std::chrono::milliseconds timeout)
    {
        return detail::checked(auricle_session_wait(get(), detail::to_c(timeout)));
    }

    /**
     * Wakes a thread that waits and ends a running inference soon: waits and reads give Status::cancelled from now on, until
     * reset. An empty session does nothing. Any thread but the audio thread: it locks. auricle_session_cancel.
     */
    void cancel() noexcept { (void)auricle_session_cancel(get()); }

    /** How many frames were pushed and have not been read yet; 0 if empty. Any thread. auricle_session_pending. */
    std::uint64_t pending() const noexcept
    {
        std::uint64_t frames = 0;
        (void)auricle_session_pending(get(), &frames);
        return frames;
    }

    /**
     * Forgets the stream, finished or not: the next frame pushed is frame 0. When neither half is running; else
     * Status::invalid_state. auricle_session_reset.
     */
    Result<void> reset() { return detail::made<void>(auricle_session_reset(get()), detail::done); }

private:
    template <class Sample> Result<Status> push_span(Span<const Sample> interleaved)
    {
        if (channels_ == 0 || interleaved.size() % channels_ == 0)
            return detail::checked(
                static_cast<auricle_status>(push(interleaved.data(), channels_ ? interleaved.size() / channels_ : 0)));
        return detail::fail<Status>(Status::invalid_argument, detail::odd_samples(interleaved.size(), channels_));
    }

    std::uint32_t channels_ = 0;
};

/**
 * Gives the next window of each of `sessions`, all of one model: what as many Session::read would give, but windows that are
 * ready go through the network together, up to ModelOptions::max_batch in a run. Waits until every session has a window or
 * its end, for at most `deadline`. Session i writes its scores to `scores` from i * Model::class_count() on, its window to
 * `windows[i]`, and what its read would have given to `statuses[i]`; scores and window are written with Status::ok there
 * only. last_error() is that of the last session that failed.
 *
 * The reading thread of all these sessions. Status::ok: at least one window was written; again: none was.
 * Status::invalid_argument where `windows` or `statuses` are not as many as `sessions`, and nothing is consumed.
 * auricle_read_many.
 */
inline Result<Status> read_many(Span<Session *const> sessions, std::chrono::milliseconds deadline, Span<float> scores,
                                Span<Window> windows, Span<Status> statuses)
{
    const std::size_t count = sessions.size();
    if (windows.size() != count || statuses.size() != count)
        return detail::fail<Status>(Status::invalid_argument,
                                    "there are " + std::to_string(count) + " sessions, " + std::to_string(windows.size())
                                        + " windows and " + std::to_string(statuses.size()) + " statuses");
    std::vector<auricle_session *> handles(count);
    std::vector<auricle_result> results(count);
    std::vector<auricle_status> each(count);
    for (std::size_t k = 0; k < count; k++) {
        handles[k] = sessions.data()[k] ? sessions.data()[k]->get() : nullptr;
        auricle_result_init(&results[k]);
    }
    const auricle_status status = auricle_read_many(handles.data(), count, detail::to_c(deadline), scores.data(),
                                                    scores.size(), results.data(), each.data());
    for (std::size_t k = 0; k < count && (status == AURICLE_OK || status == AURICLE_AGAIN); k++) {
        statuses.data()[k] = static_cast<Status>(each[k]);
        if (each[k] == AURICLE_OK)
            windows.data()[k] = detail::from_c(results[k]);
    }
    return detail::checked(status);
}

/* -------------------------------------------------------------------------------------------------
 * ONNX RUNTIME AND LOG
 */

/**
 * Opens ONNX Runtime, a shared library, by its path; nullptr looks where auricle_runtime_open says. Optional: loading the
 * first model does it with nullptr. It is opened once, for the life of the process. Any thread. auricle_runtime_open.
 */
inline Result<void> runtime_open(const char *library = nullptr)
{
    return detail::made<void>(auricle_runtime_open(library), detail::done);
}

/**
 * The same with options, before the first model: a later call changes nothing, and fails where it asks for what is not
 * there. Any thread. auricle_runtime_open_with.
 */
inline Result<void> runtime_open(const char *library, const RuntimeOptions &options)
{
    const auricle_runtime_options given = detail::to_c(options);
    return detail::made<void>(auricle_runtime_open_with(library, &given), detail::done);
}

/**
 * Sends messages up to `level` to `function(LogLevel, const char *)`, an object with a noexcept call operator (a lambda, say):
 * no exception can cross C, so anything else does not compile. It is called on whatever thread has something to say, by
 * several at once, with UTF-8 of one line that is valid during the call only. It is borrowed: it must stay valid until
 * another call of set_log replaces it, and a little longer, since a call that is running on another thread goes on. So
 * make it static.
 *
 * Any thread. auricle_set_log.
 */
template <class Function> Result<void> set_log(LogLevel level, Function &function)
{
    static_assert(std::is_object_v<Function>, "give an object, a lambda for example, that stays valid");
    static_assert(std::is_nothrow_invocable_v<Function &, LogLevel, const char *>,
                  "the log function takes (auricle::LogLevel, const char *) and is noexcept: no exception may cross C");
    const auricle_log_fn call = [](void *user, std::int32_t number, const char *message) {
        (*static_cast<Function *>(user))(static_cast<LogLevel>(number), message);
    };
    void *user = const_cast<std::remove_const_t<Function> *>(std::addressof(function));
    return detail::made<void>(auricle_set_log(call, user, static_cast<std::int32_t>(level)), detail::done);
}

/** Sends messages nowhere, as at the start. Any thread. auricle_set_log. */
inline void set_log(std::nullptr_t) noexcept
{
    (void)auricle_set_log(nullptr, nullptr, 0);
}

} // inline namespace

/* -------------------------------------------------------------------------------------------------
 * VERSIONS
 */

/** Version of the library that the program runs with, "MAJOR.MINOR.PATCH". Static. Any thread. auricle_version. */
inline const char *version() noexcept
{
    return auricle_version();
}

/** Version of the binary interface of the library that the program runs with. Any thread. auricle_abi_version. */
inline std::uint32_t abi_version() noexcept
{
    return auricle_abi_version();
}

} // namespace auricle

#endif /* AURICLE_HPP */
