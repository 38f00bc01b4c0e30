/* A microphone for tests: an ALSA device that plays raw samples from a file in real time. Its configuration:
 *
 *   pcm_type.microphone { lib "/…/microphone.so" }
 *   pcm.NAME { type microphone  file "/…/sound.raw"  format S16_LE  rate 48000  channels 1 }
 *
 * Behind the end of the file it is silent for ever, or with `then lost` the device is gone, as one that is pulled
 * out; with `stumble N` it loses 0.5 s of audio after N frames, as a device whose buffer ran over.
 */
#define _GNU_SOURCE
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    snd_pcm_ioplug_t io;
    FILE *file;
    long rate, channels, stumble, stumbled;
    snd_pcm_format_t format;
    int running;
    int lost, over;             /* the device goes away at the end; the end was reached */
    struct timespec started;
    snd_pcm_uframes_t taken;    /* frames that the program has taken since the start */
} microphone;

static snd_pcm_uframes_t recorded(const microphone *m)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (snd_pcm_uframes_t)((double)m->rate * ((double)(now.tv_sec - m->started.tv_sec)
                                                  + 1e-9 * (double)(now.tv_nsec - m->started.tv_nsec)));
}

static int start(snd_pcm_ioplug_t *io)
{
    microphone *m = (microphone *)io->private_data;
    struct itimerspec tick = {{0, 2000000}, {0, 2000000}}; /* look every 2 ms */
    clock_gettime(CLOCK_MONOTONIC, &m->started);
    m->taken = 0;
    m->running = 1;
    return timerfd_settime(io->poll_fd, 0, &tick, NULL) ? -errno : 0;
}

static int stop(snd_pcm_ioplug_t *io)
{
    struct itimerspec never = {{0, 0}, {0, 0}};
    ((microphone *)io->private_data)->running = 0;
    return timerfd_settime(io->poll_fd, 0, &never, NULL) ? -errno : 0;
}

static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io)
{
    microphone *m = (microphone *)io->private_data;
    snd_pcm_uframes_t now;
    if (!m->running)
        return 0;
    now = recorded(m);
    if (m->stumble && !m->stumbled && now >= (snd_pcm_uframes_t)m->stumble) {
        struct timespec half = {0, 500000000};
        m->stumbled = 1;
        nanosleep(&half, NULL);
        return -EPIPE;
    }
    if (now >= m->taken + io->buffer_size) /* however late the program is, nothing else is lost */
        now = m->taken + io->buffer_size - 1;
    return (snd_pcm_sframes_t)(now % io->buffer_size);
}

static snd_pcm_sframes_t transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                  snd_pcm_uframes_t offset, snd_pcm_uframes_t frames)
{
    microphone *m = (microphone *)io->private_data;
    size_t frame = areas[0].step / 8, got;
    char *to = (char *)areas[0].addr + areas[0].first / 8 + offset * frame;
    got = fread(to, frame, frames, m->file);
    snd_pcm_format_set_silence(m->format, to + got * frame, (unsigned)((frames - got) * (size_t)m->channels));
    m->over = got < frames;
    m->taken += frames;
    return (snd_pcm_sframes_t)frames;
}

static int revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned count, unsigned short *result)
{
    microphone *m = (microphone *)io->private_data;
    uint64_t ticks;
    *result = 0;
    if (count == 1 && (fds[0].revents & POLLIN) && read(io->poll_fd, &ticks, sizeof ticks) > 0)
        *result = m->over && m->lost ? POLLHUP : POLLIN;
    return 0;
}

static int close_it(snd_pcm_ioplug_t *io)
{
    microphone *m = (microphone *)io->private_data;
    close(io->poll_fd);
    fclose(m->file);
    free(m);
    return 0;
}

static const snd_pcm_ioplug_callback_t calls
    = {.start = start, .stop = stop, .pointer = pointer, .transfer = transfer, .close = close_it, .poll_revents = revents};

static int constrain(microphone *m)
{
    const unsigned access = SND_PCM_ACCESS_RW_INTERLEAVED, format = (unsigned)m->format;
    int bad = snd_pcm_ioplug_set_param_list(&m->io, SND_PCM_IOPLUG_HW_ACCESS, 1, &access);
    bad |= snd_pcm_ioplug_set_param_list(&m->io, SND_PCM_IOPLUG_HW_FORMAT, 1, &format);
    bad |= snd_pcm_ioplug_set_param_minmax(&m->io, SND_PCM_IOPLUG_HW_RATE, (unsigned)m->rate, (unsigned)m->rate);
    bad |= snd_pcm_ioplug_set_param_minmax(&m->io, SND_PCM_IOPLUG_HW_CHANNELS, (unsigned)m->channels, (unsigned)m->channels);
    bad |= snd_pcm_ioplug_set_param_minmax(&m->io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 256, 8192);
    bad |= snd_pcm_ioplug_set_param_minmax(&m->io, SND_PCM_IOPLUG_HW_PERIODS, 2, 16);
    return bad;
}

SND_PCM_PLUGIN_DEFINE_FUNC(microphone)
{
    microphone *m = (microphone *)calloc(1, sizeof *m);
    const char *path = "", *text;
    snd_config_iterator_t i, next;
    int status;

    (void)root;
    if (!m)
        return -ENOMEM;
    m->format = SND_PCM_FORMAT_S16_LE;
    m->rate = 48000;
    m->channels = 1;
    snd_config_for_each(i, next, conf) {
        snd_config_t *node = snd_config_iterator_entry(i);
        const char *id;
        snd_config_get_id(node, &id);
        if (!strcmp(id, "file"))
            snd_config_get_string(node, &path);
        else if (!strcmp(id, "format") && !snd_config_get_string(node, &text))
            m->format = snd_pcm_format_value(text);
        else if (!strcmp(id, "rate"))
            snd_config_get_integer(node, &m->rate);
        else if (!strcmp(id, "channels"))
            snd_config_get_integer(node, &m->channels);
        else if (!strcmp(id, "stumble"))
            snd_config_get_integer(node, &m->stumble);
        else if (!strcmp(id, "then") && !snd_config_get_string(node, &text))
            m->lost = !strcmp(text, "lost");
    }
    m->file = fopen(path, "rb");
    if (!m->file || stream != SND_PCM_STREAM_CAPTURE) {
        status = m->file ? -EINVAL : -errno;
        if (m->file)
            fclose(m->file);
        free(m);
        return status;
    }
    m->io.version = SND_PCM_IOPLUG_VERSION;
    m->io.name = "a microphone for tests";
    m->io.callback = &calls;
    m->io.private_data = m;
    m->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    m->io.poll_events = POLLIN;
    status = snd_pcm_ioplug_create(&m->io, name, stream, mode);
    if (!status)
        status = constrain(m);
    *pcmp = m->io.pcm;
    return status;
}

SND_PCM_PLUGIN_SYMBOL(microphone);
