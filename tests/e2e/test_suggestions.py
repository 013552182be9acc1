"""The AI coach's events, from the topic to figures and dead letters, through the real process."""

from collections import Counter

from consumers.topics.suggestions import AI_SUGGESTIONS
from tests.harness.deployment import Deployment
from tests.harness.kafka import publish, read_topic
from tests.harness.messages import coach_examples, simulated
from tests.harness.process import DRAIN, command
from tests.harness.rows import assert_tables_equal_oracle


async def test_the_examples_end_in_figures_or_in_the_dead_letter_topic(
    deployment: Deployment,
) -> None:
    """Beside claims, in the same process."""
    topic, settings = deployment.topic(AI_SUGGESTIONS.name), deployment.settings
    await deployment.create_coach_topic()
    load, good = simulated(deployment, 100), coach_examples(deployment)
    wrong = coach_examples(deployment, "rejected/invalid-field")
    first, second = coach_examples(deployment, "conflicting/version-conflict").split(2)
    for part in (load, good, wrong, first, second):
        await publish(deployment, part.messages)
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events + good.events + first.events)
    letters = await read_topic(deployment, topic + settings.topic_dlq_suffix)
    assert second.messages[0].value in [letter.value for letter in letters]
    headers = [{name: value.decode() for name, value in letter.headers} for letter in letters]
    reasons = {"invalid-field": len(wrong.messages), "version-conflict": 1}
    assert Counter(each["dlq-reason"] for each in headers) == reasons
    assert {each["dlq-group"] for each in headers} == {settings.group(AI_SUGGESTIONS.name)}
    details = [each["dlq-detail"] for each in headers if each["dlq-reason"] == "version-conflict"]
    assert details == ["event_id: this event came with other content before"]
