"""The model as MLflow serves it: feature rows in, PD and score out. MLflow runs this file; nothing imports it."""

from pipeline.flows.served_answers import answers
from pipeline.registry import serve
from pipeline.score.model_folder import read_model

serve(read_model, answers)
