package android.media;

/** As much of Android's class as Microphone.kt names: it is compiled against this, which is never shipped. */
public class AudioRecord {
    public static final int STATE_INITIALIZED = 1;

    public AudioRecord(int source, int sampleRate, int channels, int encoding, int bytes) {}

    public static int getMinBufferSize(int sampleRate, int channels, int encoding) { return 0; }

    public int getState() { return 0; }

    public void startRecording() {}

    public int read(short[] audio, int offset, int count) { return 0; }

    public void stop() {}

    public void release() {}
}
