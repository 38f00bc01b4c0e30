// A WAV file with 16-bit PCM, whole, as floats: what the examples of this folder hear.
#ifndef WAV_HPP
#define WAV_HPP

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

struct Wav {
    std::uint32_t sample_rate = 0;
    std::uint32_t channels = 0;
    std::vector<float> samples; // interleaved, full scale 1.0
    std::string problem;        // what is wrong with the file; empty: nothing

    explicit Wav(const std::string &path)
    {
        const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "rb"), std::fclose);
        problem = !file ? "cannot be opened" : read(file.get());
        if (!problem.empty())
            problem = path + " " + problem;
    }

    std::size_t frames() const { return channels ? samples.size() / channels : 0; }

private:
    static std::uint32_t number(const unsigned char *bytes, int count)
    {
        std::uint32_t value = 0;
        while (count-- > 0)
            value = value << 8 | bytes[count];
        return value;
    }

    const char *read(std::FILE *file)
    {
        unsigned char head[12], chunk[8], format[16], block[4096];
        if (std::fread(head, 1, 12, file) != 12 || std::memcmp(head, "RIFF", 4) || std::memcmp(head + 8, "WAVE", 4))
            return "is not a WAV file";
        while (std::fread(chunk, 1, 8, file) == 8) {
            std::size_t left = number(chunk + 4, 4);
            if (!std::memcmp(chunk, "data", 4) && channels > 0) {
                while (left > 0) {
                    const std::size_t got = std::fread(block, 1, left < sizeof block ? left : sizeof block, file) / 2;
                    for (std::size_t k = 0; k < got; k++)
                        samples.push_back(static_cast<float>(static_cast<std::int16_t>(number(block + 2 * k, 2))) / 32768.0f);
                    left -= got ? 2 * got : left;
                }
                samples.resize(frames() * channels);
                return "";
            }
            if (!std::memcmp(chunk, "fmt ", 4) && left >= sizeof format) {
                if (std::fread(format, 1, sizeof format, file) != sizeof format)
                    break;
                left -= sizeof format;
                const std::uint32_t kind = number(format, 2); // 1: PCM; 0xfffe: WAVE_FORMAT_EXTENSIBLE
                channels = number(format + 2, 2);
                sample_rate = number(format + 4, 4);
                if ((kind != 1 && kind != 0xfffe) || number(format + 14, 2) != 16 || channels < 1 || channels > 8)
                    return "is not 16-bit PCM with 1 to 8 channels";
            }
            if (std::fseek(file, static_cast<long>(left + left % 2), SEEK_CUR)) // chunks have even lengths
                break;
        }
        return "ends before its data";
    }
};

#endif
