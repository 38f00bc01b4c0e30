// The header in two files of a program: nothing collides, and the types are what the header says.
#include "check.hpp"

#include <array>
#include <type_traits>

int other_translation_unit();

template <class T> constexpr bool moves_only =
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> && std::is_nothrow_move_constructible_v<T>
    && std::is_nothrow_move_assignable_v<T> && std::is_nothrow_default_constructible_v<T>;
template <class T> constexpr bool plain =
    std::is_aggregate_v<T> && std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>;

static_assert(moves_only<auricle::Cancel> && moves_only<auricle::Model> && moves_only<auricle::Session>);
static_assert(plain<auricle::Window> && plain<auricle::Event> && plain<auricle::ClipOptions>
              && plain<auricle::ModelOptions> && plain<auricle::SessionOptions>);
static_assert(sizeof(auricle::Model) == sizeof(void *) && sizeof(auricle::Cancel) == sizeof(void *));
static_assert(sizeof(auricle::Status) == sizeof(auricle_status));
static_assert(auricle::is_error(auricle::Status::internal) && !auricle::is_error(auricle::Status::dropped));

// What an audio callback calls cannot throw.
static_assert(noexcept(std::declval<auricle::Session &>().push(std::declval<const float *>(), 1)));
static_assert(noexcept(std::declval<auricle::Session &>().push(std::declval<const std::int16_t *>(), 1)));
static_assert(noexcept(std::declval<auricle::Session &>().push_bytes(auricle::Format::u8, nullptr, 1)));
static_assert(noexcept(std::declval<auricle::Session &>().push_planar(nullptr, 1)));
static_assert(noexcept(std::declval<auricle::Session &>().push_planar_bytes(auricle::Format::u8, nullptr, 1)));
static_assert(noexcept(std::declval<auricle::Session &>().gap(1)) && noexcept(std::declval<auricle::Session &>().finish()));

// A span is made from what holds such values, and from nothing else.
using Floats = auricle::Span<const float>;
static_assert(std::is_constructible_v<Floats, std::vector<float> &> && std::is_constructible_v<Floats, const float (&)[4]>
              && std::is_constructible_v<Floats, const std::array<float, 2> &>
              && std::is_constructible_v<Floats, auricle::Span<float>>);
static_assert(!std::is_constructible_v<Floats, std::vector<double> &> && !std::is_constructible_v<Floats, float *>);
static_assert(!std::is_constructible_v<auricle::Span<float>, const std::vector<float> &>);

#if __cplusplus >= 202002L
#  include <span>
static_assert(std::is_constructible_v<Floats, std::span<const float>> && std::is_constructible_v<Floats, std::span<float>>);
constexpr auricle::SessionOptions named{.sample_rate = 48000, .channels = 2};
static_assert(named.channels == 2 && named.ring_seconds == 0);
#endif

int main()
{
    CHECK(std::string(auricle::version()) == AURICLE_VERSION);
    CHECK(auricle::abi_version() == AURICLE_ABI_VERSION);
    CHECK(other_translation_unit() == 1);
    return DONE();
}
