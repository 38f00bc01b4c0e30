# Plays clip.wav on a bus with an AuricleEffect and, in front of it, an AudioEffectCapture, which both begin with the same block.
# Writes what the bus played as heard.wav, and what the effect said as heard.jsonl.
extends Node

var events: Array[Dictionary] = []
var capture := AudioEffectCapture.new()

func _ready() -> void:
	var effect := AuricleEffect.new()
	assert(effect.model == "" and effect.stream == "")
	effect.stream = "{ \"events\": { \"on\": 0.5, \"off\": 0.4 } }"
	effect.model = "res://model.onnx"
	assert(effect.model == "res://model.onnx" and effect.stream.contains("0.4"))
	effect.heard.connect(func(event: Dictionary) -> void: events.append(event))
	effect.lost.connect(func(frames: int) -> void: push_error("%d frames lost" % frames))
	capture.buffer_length = 30
	AudioServer.lock()
	AudioServer.add_bus_effect(0, capture)
	AudioServer.add_bus_effect(0, effect)
	AudioServer.unlock()
	var player := AudioStreamPlayer.new()
	player.stream = AudioStreamWAV.load_from_file("res://clip.wav")
	add_child(player)
	player.play()
	await player.finished
	await get_tree().create_timer(2).timeout
	store(capture.get_buffer(capture.get_frames_available()))
	await get_tree().create_timer(1).timeout # what was captured has been heard, too
	var lines := FileAccess.open("res://heard.jsonl", FileAccess.WRITE)
	for event in events:
		lines.store_line(JSON.stringify(event))
	get_tree().quit(0)

# As 32-bit floats, so that not a bit is lost.
func store(frames: PackedVector2Array) -> void:
	assert(capture.get_discarded_frames() == 0)
	var rate := int(AudioServer.get_mix_rate())
	var data := frames.to_byte_array()
	var file := FileAccess.open("res://heard.wav", FileAccess.WRITE)
	file.store_string("RIFF")
	file.store_32(36 + data.size())
	file.store_string("WAVEfmt ")
	file.store_32(16)
	file.store_16(3) # floats
	file.store_16(2)
	file.store_32(rate)
	file.store_32(rate * 8)
	file.store_16(8)
	file.store_16(32)
	file.store_string("data")
	file.store_32(data.size())
	file.store_buffer(data)
