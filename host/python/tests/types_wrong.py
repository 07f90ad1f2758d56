"""A program in which mypy sees a mistake in each line that says so, and in no other. Not run."""

import djhost
import djhost_sdk
from djhost.utils.job.stopper import stop_job

djhost.ops.text_length_filter(min_lne=5)  # wrong
djhost.ops.text_length_filter(min_len="five")  # wrong
djhost.ops.text_length_filter(limits={"memory": 5})  # wrong
djhost.ops.clean_links_mapper(reversed_range=True)  # wrong
djhost.ops.text_lenght_filter(min_len=5)  # wrong
djhost.read("data.jsonl").text_length_filter(min_lne=5)  # wrong
djhost.ops.audio_duration_filter(any_or_all="some")  # wrong
djhost.run("data.jsonl", [], np="two")  # wrong
djhost.Recipe.from_list(3)  # wrong
stop_job(3)  # wrong


@djhost_sdk.mapper
def some_mapper(text: str) -> str:
    return text


some_mapper(3)  # wrong
djhost_sdk.filter(cost="free")  # wrong
djhost.ops.text_length_filter(min_len=5)
