using System.IO;
using Auricle;
using UnityEngine;

/// <summary>
/// Names what is heard at this object: put it beside an AudioSource or the AudioListener, and the model into
/// StreamingAssets. Audio is pushed on the audio thread; Update reads, at most one window a frame.
/// </summary>
public sealed class Listen : MonoBehaviour
{
    [SerializeField] string model = "model.onnx";

    Model loaded;
    volatile Session session;
    int channels, rate;
    float[] scores;

    void Start()
    {
        loaded = Model.Load(Path.Combine(Application.streamingAssetsPath, model));
        scores = new float[loaded.ClassCount];
        rate = AudioSettings.outputSampleRate;
    }

    void OnAudioFilterRead(float[] data, int count)
    {
        channels = count;
        try
        {
            session?.Push(data);
        }
        catch (System.ObjectDisposedException)
        {
            // The object goes, and this was its last block.
        }
    }

    void Update()
    {
        if (session == null && channels > 0)
            session = new Session(loaded, new SessionOptions { SampleRate = rate, Channels = channels, MaxWindowsPerRead = 1 });
        while (session != null && session.TryRead(scores, out var result))
        {
            int best = 0;
            for (int k = 1; k < scores.Length; k++)
                if (scores[k] > scores[best])
                    best = k;
            Debug.Log($"{(double)result.EndFrame / rate:0.00} s  {loaded.Labels[best]} {scores[best]:0.00}");
        }
    }

    void OnDestroy()
    {
        // The audio thread may be in a push: the session is freed when that is over.
        var ended = session;
        session = null;
        ended?.Dispose();
        loaded?.Dispose();
    }
}
