import hydra
import pandas as pd
import torch
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg: DictConfig) -> None:
    frame = pd.read_csv(cfg.data.path)
    x = torch.tensor(frame.drop(columns=[cfg.data.target]).values, dtype=torch.float32)
    net = torch.nn.Sequential(torch.nn.Linear(x.shape[1], cfg.model.hidden), torch.nn.ReLU())
    optimizer = torch.optim.Adam(net.parameters(), lr=cfg.train.lr)
    for _ in range(cfg.train.epochs):
        optimizer.zero_grad()
        net(x).mean().backward()
        optimizer.step()
    torch.save(net.state_dict(), cfg.model.save_path)


if __name__ == "__main__":
    main()
