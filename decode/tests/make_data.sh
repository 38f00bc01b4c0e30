#!/bin/sh
# Makes decode/tests/data with ffmpeg (libmp3lame, libvorbis): half a second of a tone that rises from 300 to 1000 Hz, in
# every kind of file that cannot be written by hand in a test. `sh decode/tests/make_data.sh` in the project's folder.
# The same tone as a formula is in decode/tests/support/mod.rs.
set -e
cd "$(dirname "$0")/data"
make() {
    file=$1
    shift
    ffmpeg -v error -y -f lavfi -i "aevalsrc='0.5*sin(2*PI*(300*t+700*t*t))':s=16000:d=0.5" -fflags +bitexact -flags:a +bitexact "$@" "$file"
}
plain="-write_xing 0 -id3v2_version 0"
make info.mp3 -c:a libmp3lame -b:a 32k
make plain.mp3 -c:a libmp3lame -b:a 32k $plain
make stereo.mp3 -c:a libmp3lame -b:a 64k -ac 2 $plain
make half_rate.mp3 -c:a libmp3lame -b:a 16k -ar 8000 $plain
make layer2.mp2 -c:a mp2 -b:a 64k
make adts.aac -c:a aac -b:a 32k
make aac.m4a -c:a aac -b:a 32k -movflags +faststart
make index_last.m4a -c:a aac -b:a 32k
make fragments.mp4 -c:a aac -b:a 32k -movflags frag_keyframe+empty_moov -frag_duration 200000
make alac.m4a -c:a alac
make alac.caf -c:a alac
make aac.mkv -c:a aac -b:a 32k
make vorbis.webm -c:a libvorbis -q:a 0
make vorbis.ogg -c:a libvorbis -q:a 0 -page_duration 100000
make flac.ogg -c:a flac -page_duration 100000
make flac.flac -c:a flac -frame_size 1024
make mp3.mkv -c:a libmp3lame -b:a 32k
make ms_adpcm.wav -c:a adpcm_ms -block_size 256
make ima_adpcm.wav -c:a adpcm_ima_wav -block_size 256
make pcm.w64 -c:a pcm_s16le -t 0.1
make pcm.mov -c:a pcm_s24be -t 0.1
make pcm.caf -c:a pcm_f32le -t 0.1
make pcm.aiff -c:a pcm_s16be -t 0.1
make mu_law.wav -c:a pcm_mulaw -t 0.1
