"""Control tags on what has a time: sound, series, video."""

from kinds import kind, shape

LABELS = '<Label value="Speech"/><Label value="Noise"/>'
SECONDS = 10


def waves(e):
    """The two channels lie one below the other. The second region is drawn in the lower one: it says 0 as well."""
    e.sound(SECONDS)
    drawn = []
    for label, start, end, height in [("Speech", 1, 3.5, 0.25), ("Noise", 5, 6, 0.75)]:
        e.label(label)
        e.drag((start, height), (end, height))
        e.regions(len(drawn) + 1)
        e.rest()
        drawn.append(shape("time_span", label, start=start, end=end, channel=0))
    return drawn


@kind('<Labels name="tag" toName="audio">%s</Labels>\n<Audio name="audio" value="$audio" splitchannels="true"/>' % LABELS,
      {"audio": "stereo.wav"})
def audio_labels(e):
    return waves(e)


@kind('<Labels name="tag" toName="audio">%s</Labels>\n<Audio name="audio" value="$audio"/>' % LABELS, {"audio": "stereo.wav"})
def audio_one_wave(e):
    """Both channels are shown as one wave."""
    e.sound(SECONDS)
    e.label("Speech")
    e.drag((2, 0.5), (4, 0.5))
    e.regions(1)
    return [shape("time_span", "Speech", start=2, end=4, channel=0)]


@kind('<TimeSeriesLabels name="tag" toName="series">%s</TimeSeriesLabels>\n'
      '<TimeSeries name="series" value="$series" valueType="url" timeColumn="time">'
      '<Channel column="one"/><Channel column="two"/></TimeSeries>' % LABELS, {"series": "series.csv"})
def time_series_labels(e):
    """In units of the column `time`, which has no dates."""
    e.chart(250)  # a quarter is shown at first
    e.label("Speech")
    e.drag((50, 0.5), (112, 0.5))
    e.regions(1)
    return [shape("time_span", "Speech", start=50, end=112)]


@kind('<TimelineLabels name="tag" toName="video">%s</TimelineLabels>\n'
      '<Video name="video" value="$video" framerate="25"/>' % LABELS, {"video": "video.webm"})
def timeline_labels(e):
    """Frames count from 1."""
    e.film()
    e.label("Speech")
    e.frames(10, 30)
    e.regions(1)
    return [shape("time_span", "Speech", frames=[10, 30])]


@kind('<Labels name="label" toName="video">%s</Labels>\n<VideoRectangle name="tag" toName="video"/>\n'
      '<Video name="video" value="$video" framerate="25"/>' % LABELS, {"video": "video.webm"})
def video_rectangle(e):
    """A box at the first frame, moved by (40, 20) at the 26th, so that there are two key frames."""
    e.film()
    e.label("Noise")
    e.drag((60, 50), (140, 110))
    e.regions(1)
    e.seek(26)
    e.drag((100, 80), (140, 100))
    e.until("Htx.annotationStore.selected.regions[0].sequence.length == 2")
    first = dict(frame=1, x=60, y=50, width=80, height=60)
    return [shape("track", "Noise", width=320, height=240, sequence=[first, dict(first, frame=26, x=100, y=70)])]


@kind('<Labels name="label" toName="video">%s</Labels>\n<VideoRectangle name="tag" toName="video"/>\n'
      '<Video name="video" value="$video" framerate="25"/>' % LABELS, {"video": "video.webm"})
def video_rectangle_ends(e):
    """As `video_rectangle`, and gone after the 26th frame."""
    drawn = video_rectangle(e)
    e.tap((140, 100))
    e.selected()
    e.page.locator(".lsf-timeline__topbar button").nth(3).click()
    e.until("Htx.annotationStore.selected.regions[0].sequence[1].enabled == false")
    drawn[0]["sequence"][1]["enabled"] = False
    return drawn


@kind('<TimeSeriesLabels name="tag" toName="series">%s</TimeSeriesLabels>\n'
      '<TimeSeries name="series" value="$series" valueType="url" timeColumn="time"><Channel column="one"/></TimeSeries>' % LABELS,
      {"series": "series.csv"})
def time_series_instant(e):
    """A double click marks a moment."""
    e.chart(250)
    e.label("Noise")
    e.tap((100, 0.5), click_count=2)
    e.regions(1)
    return [shape("time_span", "Noise", start=100, end=100)]


@kind('<Labels name="tag" toName="audio">%s</Labels>\n<Audio name="audio" value="$audio"/>' % LABELS,
      {"audio": "stereo.wav"}, how="api")
def audio_channel(e):
    """The editor says channel 0 always; other programs say which."""
    value = dict(start=5, end=6.25, channel=1, labels=["Noise"])
    region = dict(id="a1", from_name="tag", to_name="audio", type="labels", original_length=10, value=value)
    e.studio.call("POST", "/api/tasks/%d/annotations/" % e.task, {"result": [region], "lead_time": 1.5})
    return [shape("time_span", "Noise", start=5, end=6.25, channel=1)]
