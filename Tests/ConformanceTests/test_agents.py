"""Agents as people build them: a loop that calls tools until the model has said its word, through the gateway."""
import logging, unittest
from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from matrix import MatrixCase

logging.getLogger("asyncio").setLevel(logging.ERROR)  # its debug mode calls every slow step a problem
QUESTION = "How is the weather in Paris?"


class Report(BaseModel):
    city: str
    warm: bool


class AgentTests(MatrixCase, unittest.IsolatedAsyncioTestCase):
    async def test_openai_agents(self):
        set_tracing_disabled(True)  # it would tell OpenAI
        asked = []

        @function_tool
        def get_weather(city: str) -> str:
            """The weather of a city."""
            asked.append(city)
            return "sunny"

        async with AsyncOpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0) as client:
            for model in ("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"):
                with self.subTest(model=model):
                    asked.clear()
                    agent = Agent(name="forecaster", instructions="Use the tool.", tools=[get_weather],
                                  model=OpenAIResponsesModel(model=model, openai_client=client))
                    result = await Runner.run(agent, QUESTION, max_turns=4)
                    self.assertEqual(asked, ["Paris"])
                    self.assertTrue(result.final_output)
                    streamed = Runner.run_streamed(agent, QUESTION, max_turns=4)
                    kinds = [event.type async for event in streamed.stream_events()]
                    self.assertIn("raw_response_event", kinds)
                    self.assertTrue(streamed.final_output)

    async def test_pydantic_ai(self):
        for model in ("openai/gpt-4o-mini", "gemini/gemini-2.5-flash", "mistral/mistral-large-latest"):
            with self.subTest(model=model):
                client = AsyncOpenAI(base_url=self.url + "/v1", api_key="client", max_retries=0)
                chat = OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client))
                asked = []
                agent = PydanticAgent(chat, instructions="Use the tool.")

                @agent.tool_plain
                def get_weather(city: str) -> str:
                    """The weather of a city."""
                    asked.append(city)
                    return "sunny"

                result = await agent.run(QUESTION)
                self.assertEqual(asked, ["Paris"])
                self.assertTrue(result.output)
                report = await PydanticAgent(chat, output_type=Report).run("A report about Oslo, please.")
                self.assertIsInstance(report.output, Report)
                async with PydanticAgent(chat).run_stream("Say hello to the pool.") as stream:
                    self.assertTrue("".join([piece async for piece in stream.stream_text(delta=True)]))
                await client.close()


if __name__ == "__main__":
    unittest.main()
